"""Verdicts on made-up outcomes: each known cause is recognized, and what none explains is called so."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from robbench.agreeing.evidence import Evidence
from robbench.agreeing.families import NUDGED, Setting, make_family
from robbench.agreeing.judging import PARTS, causes_table, judge_pairs, ladder_table, points_table
from robbench.agreeing.request import AS_RUN, AS_RUN_BFLOAT16, SURVIVORS
from robbench.analysis.survival import Survival
from robbench.datasets import datasets

GRID = (0.0, 0.1, 0.2, 0.3)
FAMILY = make_family("pgd5", ("native", "foolbox"), Setting(datasets.get("digits"), "linf", 10))
N = 50


def survival(survived: Any) -> Survival:
    samples = pd.MultiIndex.from_arrays([[f"{i:04}" for i in range(N)], [0] * N])
    return Survival("pgd5", ("j",), samples, GRID, np.asarray(survived, dtype=bool))


def noisy(seed: int, chance: float = 0.5) -> Survival:
    """Survives 0.1; at 0.2 by chance; broken at 0.3."""
    lucky = np.random.default_rng(seed).random(N) < chance
    return survival(np.column_stack([np.ones((N, 2), bool), lucky, np.zeros(N, bool)]))


FIXED = survival(np.repeat([[1, 1, 1, 0]], N, axis=0))


def evidence(**changed: Any) -> Evidence:
    """All backends equal and nothing random, but for what is changed."""
    same = {"native": FIXED, "foolbox": FIXED}
    native: dict[str, Survival] = dict.fromkeys((SURVIVORS, AS_RUN, AS_RUN_BFLOAT16), FIXED)
    plain = Evidence("sq", FAMILY, same, same, same, {NUDGED: FIXED}, native, "float32")
    return replace(plain, **changed)


def broken_at(*cells: tuple[int, int]) -> Survival:
    """The fixed outcomes with some cells broken."""
    survived = FIXED.survived.copy()
    for sample, point in cells:
        survived[sample, point] = False
    return survival(survived)


def verdict(one: Evidence) -> tuple[str, str]:
    pairs, _ = judge_pairs([one], points_table([one]))
    return str(pairs["verdict"].iloc[0]), str(pairs["why"].iloc[0])


CHANCY = {
    "last": {"native": noisy(1), "foolbox": noisy(2)},
    "other_seed": {"native": noisy(3), "foolbox": noisy(4)},
}
ONE_CELL = {"native": FIXED, "foolbox": broken_at((3, 2))}


def test_equal() -> None:
    assert verdict(evidence()) == ("equal", "equal to the sample")


def test_random_start() -> None:
    word, why = verdict(evidence(**CHANCY))
    assert word == "chance"
    assert "by the random start" in why
    assert why.endswith("none without it")


def test_other_random_numbers_where_there_is_no_start_to_leave_out() -> None:
    word, why = verdict(evidence(**CHANCY, without_start={}))
    assert word == "chance"
    assert "between two seeds of each" in why


def test_a_stronger_backend_is_unexplained_whatever_its_noise() -> None:
    stronger = {
        "last": {"native": noisy(1), "foolbox": noisy(2, 0.1)},
        "other_seed": {"native": noisy(3), "foolbox": noisy(4, 0.1)},
    }
    word, why = verdict(evidence(**stronger))
    assert word == "unexplained"
    assert "more than chance" in why


def test_a_cell_that_differs_without_a_random_start_is_unexplained() -> None:
    word, why = verdict(evidence(**CHANCY, without_start=ONE_CELL))
    assert (word, why) == (
        "unexplained",
        "1 cells differ even without a random start, and rounding moves 0",
    )


def test_also_where_the_random_start_hides_it() -> None:
    word, _ = verdict(evidence(without_start=ONE_CELL))
    assert word == "unexplained"


def test_a_cell_that_rounding_moves_too_is_rounding() -> None:
    rounded = {"without_start": ONE_CELL, "variants": {NUDGED: broken_at((7, 2), (8, 2))}}
    word, why = verdict(evidence(**CHANCY, **rounded))
    assert (word, why) == ("rounding", "without a random start 1 cells differ, and rounding moves 2")
    many = {"native": FIXED, "foolbox": broken_at(*((i, 2) for i in range(30)))}
    word, _ = verdict(evidence(**CHANCY, without_start=many, variants={NUDGED: broken_at((7, 2), (8, 2))}))
    assert word == "unexplained"


def test_a_deterministic_attack_that_differs_is_unexplained() -> None:
    word, why = verdict(evidence(last=ONE_CELL, other_seed=ONE_CELL, without_start={}))
    assert (word, why) == ("unexplained", "the seed changes neither, yet 1 cells differ")


def test_the_largest_difference_and_its_radius() -> None:
    last = {"native": FIXED, "foolbox": broken_at((0, 1), (1, 2), (2, 2))}
    one = evidence(last=last)
    pairs, points = judge_pairs([one], points_table([one]))
    pair = pairs.iloc[0]
    assert pair["epsilon"] == 0.2
    assert pair["difference"] == pytest.approx(-4)
    assert (pair["only_first_broken"], pair["only_second_broken"]) == (0, 3)
    assert pair["equal_share"] == pytest.approx(1 - 3 / 150)
    assert points["epsilon"].tolist() == [0.1, 0.2, 0.3]
    assert all(points["p_holm"] >= points["p_value"])


def test_the_parts_of_the_ladder_add_up() -> None:
    one = evidence(
        last={"native": broken_at((0, 1)), "foolbox": broken_at((5, 2))},
        native={
            SURVIVORS: broken_at((0, 1), (0, 2), (1, 2)),
            AS_RUN: broken_at((0, 1), (0, 2)),
            AS_RUN_BFLOAT16: broken_at((0, 1), (0, 2), (2, 2), (3, 2)),
        },
        precision="bfloat16",
    )
    pairs, _ = judge_pairs([one], points_table([one]))
    row = ladder_table([one], pairs).to_dict("records")[0]
    assert (row["library"], row["epsilon"]) == ("foolbox", 0.2)
    expected = {"precision": 4, "search": -2, "any iterate": 2, "kept broken": 2, "rest": -2}
    assert {part: row[part] for part in PARTS} == pytest.approx(expected)
    assert sum(row[part] for part in PARTS) == pytest.approx(row["difference"])
    # Where bfloat16 is not what `robbench run` takes here, it is no part.
    plain = ladder_table([replace(one, precision="float32")], pairs).to_dict("records")[0]
    assert plain["precision"] == 0
    assert ladder_table([replace(one, native={})], pairs).empty


def test_causes_are_measured() -> None:
    one = evidence(other_seed={"native": broken_at((0, 1)), "foolbox": FIXED})
    causes = causes_table([one]).set_index(["cause", "backend"])
    assert causes.loc[("another seed", "native"), "changed"] == 1
    assert causes.loc[("another seed", "native"), "points"] == pytest.approx(-2)
    assert causes.loc[("another seed", "foolbox"), "changed"] == 0
    assert set(causes["cells"]) == {150}
