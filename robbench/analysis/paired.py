"""Statistics of two defenses on the same samples: interval of the difference, exact test, correction."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from robbench.analysis.intervals import FloatArray, Interval, wilson

SIGNIFICANCE = 0.05
"""A difference counts as found where its corrected p-value is below."""

CountArray = npt.NDArray[np.integer]


class PairedCounts(NamedTuple):
    """How many samples survive under which of two defenses, one entry for each comparison."""

    both: CountArray
    only_first: CountArray
    only_second: CountArray
    neither: CountArray


def paired_counts(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedCounts:
    """Count the pairs.

    Args:
        first: (samples, comparisons): which samples survive under the first defense.
        second: The same samples under the second.
    """
    return PairedCounts(
        np.sum(first & second, axis=0),
        np.sum(first & ~second, axis=0),
        np.sum(~first & second, axis=0),
        np.sum(~first & ~second, axis=0),
    )


def newcombe(counts: PairedCounts, confidence: float = 0.95) -> Interval:
    """The interval of the second share minus the first on the same samples: Newcombe's method 10.

    Newcombe 1998, Statistics in Medicine 17:2635-2650: the Wilson intervals of both shares, squared and
    added with a continuity-corrected correlation. It has its coverage also where both defenses agree on
    nearly every sample, where the textbook (Wald) interval collapses to a point.

    Args:
        counts: The pairs; at least one in each comparison.
        confidence: The coverage aimed at.
    """
    both, first, second, neither = (count.astype(np.float64) for count in counts)
    n = both + first + second + neither
    p, q = (both + second) / n, (both + first) / n
    p_low, p_high = wilson(counts.both + counts.only_second, n.astype(np.int64), confidence)
    q_low, q_high = wilson(counts.both + counts.only_first, n.astype(np.int64), confidence)
    phi = _correlation(both, first, second, neither)
    below = _square_and_add(p - p_low, q_high - q, phi)
    above = _square_and_add(p_high - p, q - q_low, phi)
    return Interval(np.maximum(p - q - below, -1.0), np.minimum(p - q + above, 1.0))


def mcnemar(counts: PairedCounts) -> FloatArray:
    """The p-values of McNemar's exact test (1947, Psychometrika 12:153-157), two-sided.

    Where both defenses are equally good, a sample that only one of them gets right is as likely to be
    either's: a binomial test of the discordant pairs. Without such pairs p is 1.
    """
    pairs = zip(np.ravel(counts.only_first), np.ravel(counts.only_second), strict=True)
    p_values = [
        float(binomtest(int(first), int(first + second), 0.5).pvalue) if first + second else 1.0
        for first, second in pairs
    ]
    return np.array(p_values, dtype=np.float64).reshape(np.shape(counts.only_first))


def holm(p_values: FloatArray) -> FloatArray:
    """Holm's correction (1979, Scandinavian Journal of Statistics 6:65-70) of a family of p-values.

    The chance that any true null hypothesis is rejected stays below the level, however the tests depend on
    each other.

    Args:
        p_values: One axis, any order.
    """
    order = np.argsort(p_values, kind="stable")
    left = len(p_values) - np.arange(len(p_values))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * left), 1.0)
    return corrected


def _correlation(both: FloatArray, first: FloatArray, second: FloatArray, neither: FloatArray) -> FloatArray:
    """Newcombe's φ: positive association is reduced by half a pair, and 0 where a margin is empty."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    association = both * neither - first * second
    half = (both + first + second + neither) / 2
    corrected = np.where(association > 0, np.maximum(association - half, 0.0), association)
    return np.divide(corrected, np.sqrt(margins), out=np.zeros_like(margins), where=margins > 0)


def _square_and_add(one: FloatArray, other: FloatArray, phi: FloatArray) -> FloatArray:
    # Rounding can put a square that is 0 at -1e-17.
    return np.sqrt(np.maximum(one**2 - 2 * phi * one * other + other**2, 0.0))
