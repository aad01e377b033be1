"""Do two tools that run the same attack find the same samples broken, and if not, is it more than chance?"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from robbench.analysis.intervals import FloatArray
from robbench.analysis.paired import mcnemar, newcombe, paired_counts
from robbench.analysis.survival import Survival

Flags = npt.NDArray[np.bool_]


class Cells(NamedTuple):
    """How many (sample, ε) cells two tools decide alike; cells that no attack decides are left out."""

    attacked: int
    """Correct samples times the radii above 0."""
    only_first: int
    """Broken by the first alone."""
    only_second: int

    @property
    def different(self) -> int:
        """Cells with unequal outcomes."""
        return self.only_first + self.only_second

    @property
    def equal_share(self) -> float:
        """The share of cells with equal outcomes; 1 where there are none."""
        return 1 - self.different / self.attacked if self.attacked else 1.0


def compare_cells(first: Survival, second: Survival) -> Cells:
    """Count cells by outcome, on the same samples and radii."""
    correct = first.survived[:, 0] | second.survived[:, 0]
    a, b = first.survived[correct, 1:], second.survived[correct, 1:]
    return Cells(a.size, int((~a & b).sum()), int((a & ~b).sum()))


def pair_points(survivals: Mapping[str, Survival]) -> pd.DataFrame:
    """Every pair of tools at every radius above 0.

    ``difference`` is the second's robust accuracy minus the first's, in points, with Newcombe's paired 95 %
    interval; ``p_value`` is McNemar's exact test of whether one of the two is the stronger attack.

    Args:
        survivals: By tool; of one attack on one defense, on the same samples and radii.
    """
    tables = []
    for (first, a), (second, b) in combinations(survivals.items(), 2):
        counts = paired_counts(a.survived[:, 1:], b.survived[:, 1:])
        interval = newcombe(counts)
        tables.append(
            pd.DataFrame(
                {
                    "first": first,
                    "second": second,
                    "epsilon": a.epsilons[1:],
                    "n": len(a.samples),
                    "first_accuracy": a.accuracy[1:],
                    "second_accuracy": b.accuracy[1:],
                    "difference": 100 * (counts.only_second - counts.only_first) / len(a.samples),
                    "ci_low": 100 * interval.low,
                    "ci_high": 100 * interval.high,
                    "only_first_broken": counts.only_second,
                    "only_second_broken": counts.only_first,
                    "p_value": mcnemar(counts),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def same_attack_p_value(first: tuple[Survival, Survival], second: tuple[Survival, Survival]) -> float:
    """The chance that two tools differ as much as they do if they differ in nothing but random numbers.

    Each tool has run with two seeds. If both draw from the same distribution, the four outcomes of a sample
    are exchangeable: of the three ways to split them into two pairs, none is special. The statistic is the
    number of cells that differ within the tools, which is small if the tools differ from each other by more
    than their seeds; its distribution over the three splits of each sample is computed exactly (a permutation
    test with the statistic of Székely & Rizzo 2004, InterStat 5, for binary outcomes).

    Args:
        first: One tool's outcomes with two seeds.
        second: The other's with the same two; all on the same samples and radii.
    """
    a, b = first
    c, d = second
    within = _sample_distance(a, b) + _sample_distance(c, d)
    crossed = [
        _sample_distance(a, c) + _sample_distance(b, d),
        _sample_distance(a, d) + _sample_distance(b, c),
    ]
    distribution = np.ones(1)
    for distances in zip(within, *crossed, strict=True):
        split = np.zeros(max(distances) + 1)
        np.add.at(split, list(distances), 1 / 3)
        distribution = np.convolve(distribution, split)
    return float(min(1.0, distribution[: int(within.sum()) + 1].sum()))


class Change(NamedTuple):
    """What a change of one parameter does to a curve."""

    cells: int
    """Cells with another outcome."""
    epsilon: float
    """Where the accuracy changes most."""
    points: float
    """The change there, in points of accuracy; negative where the attack becomes stronger."""


def change(before: Survival, after: Survival) -> Change:
    """The largest change at any radius."""
    moved = 100 * (after.accuracy - before.accuracy)
    at = int(np.argmax(np.abs(moved)))
    return Change(compare_cells(before, after).different, before.epsilons[at], float(moved[at]))


def carried_upward(survival: Survival) -> Survival:
    """The same outcomes, but broken at ε means broken at every larger ε too."""
    kept = np.logical_and.accumulate(survival.survived, axis=1)
    return Survival(survival.attack, survival.jobs, survival.samples, survival.epsilons, kept)


def differences_at(stages: list[Survival], position: int) -> FloatArray:
    """From stage to stage, the change of the accuracy at one radius, in points; they add up to the whole."""
    return 100 * np.diff([stage.accuracy[position] for stage in stages])


def _sample_distance(first: Survival, second: Survival) -> npt.NDArray[np.int64]:
    """Per sample, the number of radii at which the outcomes differ."""
    return (first.survived != second.survived).sum(axis=1)
