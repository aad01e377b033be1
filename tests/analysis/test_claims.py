"""Verdicts on claims, on outcomes where the answer is known."""

import numpy as np
import pytest

from robbench.analysis.claims import (
    FAILS,
    HOLDS,
    UNDECIDED,
    judge_above,
    judge_cost,
    judge_not_below,
    judge_together,
    paired_differences,
)


def flags(survivors: int, n: int = 1000, start: int = 0) -> np.ndarray:
    """Samples of which some in a row survive."""
    return np.isin(np.arange(n), np.arange(start, start + survivors))


def difference(candidate: int, baseline: int, **options: int):
    return paired_differences([(flags(candidate, **options), flags(baseline, **options))])[0]


def test_a_difference_is_the_candidates_minus_the_baselines():
    found = difference(600, 500)
    assert (found.n, found.candidate, found.baseline) == (1000, 0.6, 0.5)
    assert found.points == pytest.approx(10)
    assert found.low < 10 < found.high
    assert found.p_holm < 1e-20


def test_tests_are_corrected_together():
    pairs = [(flags(8, 100), flags(0, 100)), (flags(50, 100), flags(50, 100, start=1))]
    alone = paired_differences(pairs[:1])[0].p_holm
    assert alone == pytest.approx(2 * 0.5**8)
    together = paired_differences(pairs)
    assert together[0].p_holm == pytest.approx(2 * alone)
    assert together[1].p_holm == 1


def test_above_is_found_above_or_below_or_not_at_all():
    assert judge_above(difference(600, 500)) == HOLDS
    assert judge_above(difference(500, 600)) == FAILS
    assert judge_above(difference(502, 500)) == UNDECIDED


def test_not_below_takes_the_whole_interval():
    assert judge_not_below(difference(500, 500)) == HOLDS
    assert judge_not_below(difference(5000, 5050, n=10_000)) == HOLDS, "found lower, but within the margin"
    assert judge_not_below(difference(400, 500)) == FAILS
    assert judge_not_below(difference(485, 500)) == UNDECIDED, "found lower, but by more than 2 points?"
    few = paired_differences([(flags(50, 100), flags(50, 100, start=25))])[0]
    assert judge_not_below(few) == UNDECIDED, "too few samples to exclude a difference"


def test_a_cost_may_be_a_fifth_larger_than_claimed():
    assert judge_cost(9 / 25, 1 / 3) == HOLDS
    assert judge_cost(0.5, 1 / 3) == FAILS
    assert judge_cost(0.1, 1 / 3) == HOLDS


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([HOLDS, HOLDS], HOLDS),
        ([HOLDS, UNDECIDED], UNDECIDED),
        ([HOLDS, UNDECIDED, FAILS], FAILS),
        ([], UNDECIDED),
    ],
)
def test_a_claim_holds_if_all_of_it_does(verdicts, together):
    assert judge_together(verdicts) == together
