"""Confidence intervals of a share."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer]


class Interval(NamedTuple):
    """The two ends of an interval, one pair for each share."""

    low: FloatArray
    high: FloatArray


def wilson(successes: Counts | FloatArray, trials: Counts, confidence: float = 0.95) -> Interval:
    """The Wilson score interval of binomial shares (Wilson 1927, JASA 22:209-212).

    It stays in [0, 1] and keeps its coverage at shares near 0 and 1, where curves of robust accuracy begin
    and end, and where the normal approximation collapses to a point.

    Args:
        successes: How many succeeded, of any shape; whole numbers, or means of such.
        trials: Of how many, at least 1, a shape that broadcasts with it.
        confidence: The coverage aimed at.
    """
    count = np.asarray(trials, dtype=np.float64)
    share = np.asarray(successes, dtype=np.float64) / count
    z = float(ndtri(0.5 + confidence / 2))
    shrink = 1 + z**2 / count
    center = (share + z**2 / (2 * count)) / shrink
    half = z / shrink * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    # At 0 and 1 the ends are exact; rounding would put them 1e-17 beside.
    low = np.where(share == 0, 0.0, np.maximum(center - half, 0.0))
    high = np.where(share == 1, 1.0, np.minimum(center + half, 1.0))
    return Interval(low, high)
