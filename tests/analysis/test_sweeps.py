"""Which curves of different runs may be compared, and where."""

import pytest

from robbench.analysis.sweeps import Sweep, comparable_radii, differing_ingredients, swept_unlike

FINE, COARSE, LONGER = (0.0, 0.1, 0.2, 0.3), (0.0, 0.3), (0.0, 0.1, 0.2, 0.25, 0.3)


def sweep(strategy: str, epsilons: tuple[float, ...] = FINE, run: str = "a") -> Sweep:
    return Sweep(run, "", strategy, epsilons)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (sweep("independent"), sweep("independent", COARSE), (0.0, 0.3)),
        (sweep("minimum-norm"), sweep("minimum-norm", COARSE), (0.0, 0.3)),
        (sweep("minimum-norm"), sweep("auto: survivors", COARSE), (0.0, 0.3)),  # before it was recorded
        (sweep("independent"), sweep("survivors"), (0.0,)),
        (sweep("auto: search+auto: survivors"), sweep("independent"), (0.0,)),
        (sweep("survivors"), sweep("survivors"), FINE),
        (sweep("survivors"), sweep("auto: survivors"), FINE),
        (sweep("survivors"), sweep("auto: search+auto: survivors"), FINE),
        (sweep("survivors"), sweep("survivors", COARSE), (0.0,)),
        (sweep("survivors"), sweep("survivors", FINE[:3]), FINE[:3]),
        (sweep("survivors"), sweep("survivors", LONGER), FINE[:3]),
        (sweep("search"), sweep("search", LONGER), (0.0,)),  # descends from the largest ε
        (sweep("survivors"), sweep("auto: search", FINE[:3]), (0.0,)),
        (sweep("independent"), sweep("independent", (0.0, 0.15)), (0.0,)),
    ],
)
def test_radii_of_different_runs(first: Sweep, second: Sweep, expected: tuple[float, ...]) -> None:
    second = Sweep("b", "", second.strategy, second.epsilons)
    assert comparable_radii(first, second) == expected
    assert comparable_radii(second, first) == expected


@pytest.mark.parametrize("strategy", ["survivors", "auto: search", "independent"])
def test_within_one_run_everything_is_comparable(strategy: str) -> None:
    assert comparable_radii(sweep("auto: survivors"), sweep(strategy)) == FINE


def test_a_sweep_that_may_find_more_is_told() -> None:
    assert swept_unlike(sweep("auto: search+auto: survivors"), sweep("auto: search2+auto: survivors"))
    assert swept_unlike(sweep("survivors"), sweep("auto: search+auto: survivors", run="b"))
    assert not swept_unlike(sweep("survivors"), sweep("auto: survivors", run="b"))
    assert not swept_unlike(sweep("minimum-norm"), sweep("auto: survivors", run="b"))


@pytest.mark.parametrize(
    ("strategy", "asked"),
    [("auto: search+auto: survivors", "auto"), ("survivors", "survivors"), ("auto: search2", "auto")],
)
def test_what_was_asked(strategy: str, asked: str) -> None:
    assert sweep(strategy).asked == asked


def test_what_attacks_are_made_of_is_compared_where_both_recorded_it() -> None:
    one, other = (Sweep("a", "", "survivors", FINE, (("code of x", sha),)) for sha in ("1", "2"))
    assert differing_ingredients(one, other) == ["code of x"]
    assert differing_ingredients(one, one) == []
    assert differing_ingredients(one, sweep("survivors")) == []
