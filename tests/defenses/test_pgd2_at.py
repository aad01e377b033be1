import numpy as np
import pytest

from robbench.datasets import datasets
from robbench.defenses.options import build_recipe, recipe_options
from tests.defenses.literal import (
    LiteralNet,
    Recorder,
    TanhNet,
    clipped,
    flat,
    literal_samples,
    make_batch,
    make_recipe,
)


@pytest.mark.parametrize(
    ("name", "options", "steps"), [("pgd2-at", {}, 2), ("pgd-at", {"steps": 5}, 5)], ids=["two", "five"]
)
def test_trains_on_the_literal_iterates(name, options, steps):
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe = make_recipe(name, epsilon=0.1, step_size=0.04, **options)
    loss = recipe.loss(recipe.wrap(recorder), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for i, (image, noise, label) in enumerate(literal_samples(batch)):
        point = clipped(image + 0.1 * noise, image, 0.1)
        for step in range(steps):
            assert flat(recorder.seen[step])[i] == pytest.approx(point, abs=1e-12)
            move = 0.04 * np.sign(literal.cross_entropy_gradient(point, label))
            point = clipped(point + move, image, 0.1)
        losses.append(literal.cross_entropy(point, label))
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-10)
    assert len(recorder.seen) == steps + 1


def test_the_steps_are_half_the_radius():
    options = recipe_options(build_recipe("pgd2-at", datasets.get("cifar10")))
    assert options == {"epsilon": 8 / 255, "step_size": 4 / 255}
