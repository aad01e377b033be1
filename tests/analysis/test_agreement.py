"""Agreement of tools: counts by hand, and the size and power of the test for more than chance."""

import numpy as np
import pandas as pd
import pytest

from robbench.analysis.agreement import (
    carried_upward,
    change,
    compare_cells,
    differences_at,
    pair_points,
    same_attack_p_value,
)
from robbench.analysis.survival import Survival

GRID = (0.0, 0.1, 0.2)


def survival(rows: object, name: str = "pgd") -> Survival:
    survived = np.array(rows, dtype=bool)
    samples = pd.MultiIndex.from_arrays([[f"{i:04}" for i in range(len(survived))], [0] * len(survived)])
    return Survival(name, (name,), samples, GRID[: survived.shape[1]], survived)


def drawn(rng: np.random.Generator, chance: object, samples: int = 60) -> Survival:
    """Clean right; above 0 each cell survives with some chance."""
    above = rng.random((samples, 2)) < np.asarray(chance)
    return survival(np.column_stack([np.ones(samples, dtype=bool), above]))


def test_cells_count_what_an_attack_decides() -> None:
    first = survival([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
    second = survival([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0]])
    cells = compare_cells(first, second)
    assert cells == (6, 1, 2)
    assert cells.equal_share == 0.5
    assert compare_cells(survival([[0, 0, 0]]), survival([[0, 0, 0]])).equal_share == 1.0


def test_pairs_at_every_radius() -> None:
    tools = {
        "a": survival([[1, 1, 0]] * 6 + [[1, 0, 0]] * 4),
        "b": survival([[1, 1, 0]] * 10),
        "c": survival([[1, 1, 0]] * 10),
    }
    points = pair_points(tools)
    assert list(points[["first", "second"]].drop_duplicates().itertuples(index=False, name=None)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    assert points["epsilon"].tolist() == [0.1, 0.2] * 3
    row = points.iloc[0]
    assert row["difference"] == 40
    assert (row["only_first_broken"], row["only_second_broken"]) == (4, 0)
    assert row["p_value"] == pytest.approx(2 / 2**4)
    assert row["ci_low"] < 40 < row["ci_high"]
    assert points.iloc[4]["difference"] == 0


def test_more_than_chance_by_hand() -> None:
    a = survival([[1, 1, 1]] * 5)
    b = survival([[1, 0, 1]] * 5)
    assert same_attack_p_value((a, a), (a, a)) == 1.0
    # Nothing differs within: for each sample one split of three is as good.
    assert same_attack_p_value((a, a), (b, b)) == pytest.approx(3**-5)
    assert same_attack_p_value((a, b), (a, b)) == pytest.approx(1.0)


def test_size_and_power_of_the_test_for_more_than_chance() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random((60, 2))
    equal = [
        same_attack_p_value(
            (drawn(rng, chance), drawn(rng, chance)), (drawn(rng, chance), drawn(rng, chance))
        )
        for _ in range(400)
    ]
    assert np.mean(np.array(equal) < 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    weaker = np.clip(chance + 0.35, 0, 1)
    unequal = [
        same_attack_p_value(
            (drawn(rng, chance), drawn(rng, chance)), (drawn(rng, weaker), drawn(rng, weaker))
        )
        for _ in range(100)
    ]
    assert np.mean(np.array(unequal) < 0.05) > 0.8


def test_changes_and_their_sum() -> None:
    last = survival([[1, 0, 1], [1, 1, 1], [1, 1, 0]])
    carried = carried_upward(last)
    assert carried.survived.tolist() == [[1, 0, 0], [1, 1, 1], [1, 1, 0]]
    found = change(last, carried)
    assert (found.cells, found.epsilon) == (1, 0.2)
    assert found.points == pytest.approx(-100 / 3)
    stages = [last, carried, survival([[1, 0, 0], [1, 1, 0], [1, 0, 0]])]
    parts = differences_at(stages, 2)
    assert parts == pytest.approx([-100 / 3, -100 / 3])
    assert parts.sum() == pytest.approx(100 * (0 - 2 / 3))
