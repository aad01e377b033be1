"""How far an attack that should be weaker is ahead of one that should be stronger, on the same samples."""

from typing import NamedTuple

import numpy as np
from scipy.stats import beta

from robbench.analysis.paired import PairedCounts, newcombe, paired_counts
from robbench.analysis.survival import Survival, check_same


class Advantage(NamedTuple):
    """How many points lower the accuracy is under one attack than under another, at the telling ε."""

    epsilon: float
    points: float
    """The difference, in points of accuracy."""
    at_least: float
    """The lower end of a one-sided interval of the difference that holds at every ε together."""
    at_most: float
    """The largest upper end, over every ε, of its one-sided 95 % intervals."""
    ahead: float
    """The accuracy under the attack that is ahead, in percent."""
    behind: float
    """The accuracy under the other."""


class ShareBounds(NamedTuple):
    """One-sided bounds of a share, in percent."""

    percent: float
    at_least: float
    at_most: float


def advantage(first: Survival, second: Survival, false_alarm: float) -> Advantage:
    """How far the first attack is ahead of the second, at the ε where that is most certain.

    Bounds are ends of Newcombe's paired intervals (1998, method 10); the lower ones have Bonferroni's
    correction over the radii, because the most certain of several is looked at.

    Args:
        first: What survives one attack; at least one sample and one ε above 0.
        second: What survives the other: the same samples and radii.
        false_alarm: The chance that any lower bound is above a difference that is truly 0, at most.

    Raises:
        ValueError: Samples or radii differ.
    """
    check_same(first, second)
    counts = paired_counts(first.survived[:, 1:], second.survived[:, 1:])
    return _most_certain(counts, first.epsilons[1:], false_alarm, first, second)


def rise(survival: Survival, false_alarm: float) -> Advantage:
    """How far accuracy rises from one ε to a larger one, of all pairs of radii the most certain rise.

    Args:
        survival: Every ε by itself, with at least one sample and two radii.
        false_alarm: As for :func:`advantage`.

    Returns:
        ``ahead`` is the accuracy at the smaller ε, ``behind`` that at the larger, which is ``epsilon``.
    """
    points = len(survival.epsilons)
    low, high = np.triu_indices(points, k=1)
    lower, upper = (_columns(survival, indices) for indices in (low, high))
    counts = paired_counts(lower.survived, upper.survived)
    return _most_certain(counts, upper.epsilons, false_alarm, lower, upper, first_column=0)


def share_bounds(count: int, samples: int, false_alarm: float) -> ShareBounds:
    """The ends of exact one-sided intervals of a share (Clopper and Pearson 1934, Biometrika 26:404-413).

    Wilson's are right on average only: of small shares their lower end is above the true share several times
    as often as it should be, and each time would be a false alarm.

    Args:
        count: How many.
        samples: Of how many, at least 1.
        false_alarm: The chance that the lower end is above the true share; the upper end's is 5 %.
    """
    low = beta.ppf(false_alarm, count, samples - count + 1) if count else 0.0
    high = beta.ppf(0.95, count + 1, samples - count) if count < samples else 1.0
    return ShareBounds(100 * count / samples, 100 * float(low), 100 * float(high))


def _most_certain(
    counts: PairedCounts,
    epsilons: tuple[float, ...],
    false_alarm: float,
    first: Survival,
    second: Survival,
    first_column: int = 1,
) -> Advantage:
    low = newcombe(counts, 1 - 2 * false_alarm / len(epsilons)).low
    high = newcombe(counts, 0.9).high
    difference = (counts.only_second - counts.only_first) / len(first.samples)
    # Of equal bounds the larger difference, and of equal differences the larger ε.
    at = max(range(len(epsilons)), key=lambda i: (round(float(low[i]), 9), float(difference[i]), i))
    return Advantage(
        epsilons[at],
        100 * float(difference[at]),
        100 * float(low[at]),
        100 * float(high.max()),
        100 * float(first.accuracy[at + first_column]),
        100 * float(second.accuracy[at + first_column]),
    )


def _columns(survival: Survival, indices: np.ndarray) -> Survival:
    return survival.at(tuple(survival.epsilons[i] for i in indices))
