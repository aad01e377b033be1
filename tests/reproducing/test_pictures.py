"""What is computed from the layer itself: the staircase and the pictures."""

import numpy as np
import pytest

from robbench.reproducing import targets
from robbench.reproducing.sample_pictures import sample_pictures
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.staircase import sample_staircase


def test_the_gradient_is_that_of_the_paper():
    points = sample_staircase(8, 1000.0, 3201)
    assert points["gradient"].to_numpy().max() == pytest.approx(1000 / (4 * 8)), (
        "α/4K, at the middle of each step"
    )
    steps = points.loc[np.isclose((points["x"] * 16) % 2, 1)]
    assert len(steps) == 8
    assert np.allclose(steps["gradient"], 31.25)
    assert np.allclose(points["value"].iloc[[0, -1]], [0, 1], atol=1e-6)
    slopes = np.gradient(points["value"], points["x"])
    assert np.abs(slopes - points["gradient"])[1:-1].max() < 0.8, "finite differences agree"


@pytest.mark.parametrize(("name", "shape"), [("fig8", (16, 28, 28, 1)), ("fig13", (4, 112, 112, 3))])
def test_pictures_are_stored_and_drawn(tmp_path, name, shape):
    target, shelf = targets.get(name), Shelf(tmp_path)
    assert target.collect(shelf) is None
    target.compute(shelf)
    collected = target.collect(shelf)
    assert collected is not None
    assert collected.pictures is not None
    blocks = list(collected.pictures.values())
    assert [block.shape for block in blocks] == [shape] * 4
    assert np.array_equal(blocks[0], sample_pictures(target.dataset, shape[0]))  # pyright: ignore[reportAttributeAccessIssue]
    levels = len(np.unique(blocks[-1]))
    assert levels <= target.levels + 1, "the steepest slope is hard quantization"  # pyright: ignore[reportAttributeAccessIssue]
    assert target.draw(collected) is not None
    assert target.table(collected) is not None
