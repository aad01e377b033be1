"""Whether what a paper claims of two defenses holds on the same samples: holds, does not hold, undecided."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from robbench.analysis.paired import SIGNIFICANCE, holm, mcnemar, newcombe, paired_counts

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
MARGIN = 2.0
"""Points of accuracy: who is no more than so many below another counts as not below."""
ABOUT = 1.2
"""How many times as large as claimed a cost may be to count as about the same."""

Flags = npt.NDArray[np.bool_]


class PairedDifference(NamedTuple):
    """The accuracy of a candidate minus that of a baseline, on the same samples."""

    n: int
    candidate: float
    """Its accuracy, from 0 to 1."""
    baseline: float
    """Likewise."""
    points: float
    """The difference, in points of accuracy."""
    low: float
    """Newcombe's paired 95 % interval of the difference, in points, for this difference by itself."""
    high: float
    p_holm: float
    """McNemar's exact test with Holm's correction over all differences that were tested together."""


def paired_differences(pairs: Sequence[tuple[Flags, Flags]]) -> list[PairedDifference]:
    """Test candidates against baselines, all in one family.

    Args:
        pairs: For each comparison, which samples survive under the candidate and which under the baseline,
            (samples,) each, the same samples in the same order.
    """
    tests = []
    for candidate, baseline in pairs:
        counts = paired_counts(baseline[:, None], candidate[:, None])
        tests.append((newcombe(counts), float(mcnemar(counts)[0])))
    corrected = holm(np.array([p for _, p in tests], dtype=np.float64))
    return [
        PairedDifference(
            len(candidate),
            float(candidate.mean()),
            float(baseline.mean()),
            100 * float(candidate.mean() - baseline.mean()),
            100 * float(interval.low[0]),
            100 * float(interval.high[0]),
            float(p),
        )
        for (candidate, baseline), (interval, _), p in zip(pairs, tests, corrected, strict=True)
    ]


def judge_above(difference: PairedDifference) -> str:
    """Whether the candidate is above the baseline: the corrected test finds it there, or finds it below."""
    if difference.p_holm >= SIGNIFICANCE:
        return UNDECIDED
    return HOLDS if difference.points > 0 else FAILS


def judge_not_below(difference: PairedDifference) -> str:
    """Whether the candidate is at most :data:`MARGIN` below the baseline.

    It holds if the whole interval says so, and does not if the whole interval lies beyond the margin and the
    corrected test, too, finds the candidate below.
    """
    if difference.low >= -MARGIN:
        return HOLDS
    return FAILS if difference.high < -MARGIN and difference.p_holm < SIGNIFICANCE else UNDECIDED


def judge_cost(share: float, claimed: float) -> str:
    """Whether a cost is about the claimed share of another, or less; costs are counted, not estimated."""
    return HOLDS if share <= ABOUT * claimed else FAILS


def judge_together(verdicts: Iterable[str]) -> str:
    """The verdict on a claim of several parts: it holds if all do, and does not if any does not."""
    found = set(verdicts)
    if FAILS in found:
        return FAILS
    return HOLDS if found == {HOLDS} else UNDECIDED


def judge_repeated(verdicts: Iterable[str]) -> str:
    """The verdict on a claim that was tried several times over: what all trials say, else undecided."""
    found = set(verdicts)
    return found.pop() if len(found) == 1 else UNDECIDED
