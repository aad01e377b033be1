"""Verdicts at known counts: what fails beyond doubt, what passes, and what is too little to tell."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from robbench.analysis.advantage import advantage, rise, share_bounds
from robbench.analysis.survival import Survival
from robbench.auditing.registration import checks as audit_checks
from robbench.auditing.rules import FALSE_ALARM, MATERIAL, NEGLIGIBLE, Words, judge_advantage, judge_share
from robbench.checking.registration import checks as defense_checks

WORDS = Words("the weaker", "the stronger", "advice")


def survival(*columns: Sequence[bool]) -> Survival:
    survived = np.array(columns).T
    epsilons = tuple(0.1 * i for i in range(len(columns)))
    names = pd.MultiIndex.from_arrays([range(len(survived))] * 3)
    return Survival("made-up", ("job",), names, epsilons, survived)


def surviving(count: int, of: int = 200) -> list[bool]:
    return [i < count for i in range(of)]


@pytest.mark.parametrize(
    ("weaker", "stronger", "of", "verdict"),
    [
        (100, 100, 200, "pass"),
        (120, 100, 200, "pass"),  # the weaker is weaker, as it should be
        (98, 100, 200, "pass"),
        (92, 100, 200, "inconclusive"),
        (60, 100, 200, "fail"),
        (3, 5, 10, "inconclusive"),
        (9940, 10000, 20000, "pass"),  # surely different, and by a third of a point
    ],
)
def test_a_difference_is_judged_by_its_interval(weaker, stronger, of, verdict):
    everything = surviving(of, of)
    found = advantage(
        survival(everything, surviving(weaker, of)),
        survival(everything, surviving(stronger, of)),
        FALSE_ALARM,
    )
    finding = judge_advantage(found, NEGLIGIBLE, WORDS, "at ε = 0.1")
    assert finding.verdict == verdict
    assert finding.number == pytest.approx(100 * (stronger - weaker) / of)
    assert bool(finding.advice) == (verdict != "pass")


def test_the_most_certain_radius_is_told():
    everything = surviving(200)
    weaker = survival(everything, surviving(150), surviving(20), surviving(0))
    stronger = survival(everything, surviving(150), surviving(100), surviving(10))
    found = advantage(weaker, stronger, FALSE_ALARM)
    assert found.epsilon == pytest.approx(0.2)
    assert (found.points, found.ahead, found.behind) == pytest.approx((40.0, 10.0, 50.0))
    assert 0 < found.at_least < found.points < found.at_most


def test_attacks_on_different_samples_are_not_paired():
    here = survival(surviving(200), surviving(150))
    elsewhere = replace(here, samples=here.samples.set_levels(here.samples.levels[0] + 1, level=0))
    with pytest.raises(ValueError, match="not run on the same samples"):
        advantage(here, elsewhere, FALSE_ALARM)


def test_a_rise_between_any_two_radii_is_found():
    found = rise(survival(surviving(200), surviving(60), surviving(50), surviving(120)), FALSE_ALARM)
    assert found.epsilon == pytest.approx(0.3)
    assert (found.points, found.ahead, found.behind) == pytest.approx((35.0, 25.0, 60.0))
    falling = rise(survival(surviving(200), surviving(60), surviving(50)), FALSE_ALARM)
    assert falling.at_least < 0


@pytest.mark.parametrize(
    ("count", "of", "verdict"),
    [
        (0, 200, "pass"),
        (3, 200, "pass"),
        (7, 200, "inconclusive"),
        (8, 200, "fail"),
        (0, 19, "inconclusive"),
    ],
)
def test_a_share_is_judged_by_its_interval(count, of, verdict):
    finding = judge_share(count, of, lambda share: f"{share.percent} %", "advice")
    assert finding.verdict == verdict


def test_bounds_of_a_share_hold_the_share():
    for count in (0, 1, 50, 199, 200):
        bounds = share_bounds(count, 200, FALSE_ALARM)
        assert 0 <= bounds.at_least <= bounds.percent <= bounds.at_most <= 100


@pytest.mark.parametrize("samples", [30, 64, 200, 1000])
def test_a_share_that_is_negligible_raises_no_more_alarms_than_allowed(samples):
    """Exactly, over every count: how likely a true share of one percent is to be taken for more."""
    alarms = sum(
        binom.pmf(count, samples, NEGLIGIBLE / 100)
        for count in range(samples + 1)
        if share_bounds(count, samples, FALSE_ALARM).at_least > NEGLIGIBLE
    )
    assert alarms <= FALSE_ALARM


def test_a_check_of_no_difference_rarely_fails():
    """Two equally good attacks: of 400 audits at most about one in 400 shall raise the alarm."""
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(400):
        first, second = (survival(surviving(200), *(generator.random((3, 200)) < 0.5)) for _ in range(2))
        found = advantage(first, second, FALSE_ALARM)
        alarms += found.at_least > NEGLIGIBLE
    assert alarms <= 4


def test_thresholds_are_ordered():
    assert NEGLIGIBLE < MATERIAL


def test_checks_of_audits_and_of_defenses_come_from_different_entry_points():
    assert audit_checks.kind != defense_checks.kind
