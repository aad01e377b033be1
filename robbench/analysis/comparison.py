"""Defenses against a baseline on the same samples: differences, intervals, tests and areas."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from robbench.analysis.paired import holm, mcnemar, newcombe, paired_counts
from robbench.analysis.survival import Survival

Pair = tuple[Survival, Survival]
"""What survives one attack on the baseline, and on a candidate: the same samples and radii."""


class Comparison(NamedTuple):
    """Candidates compared with a baseline."""

    points: pd.DataFrame
    """One row per candidate, attack and radius; shares from 0 to 1, differences in points of accuracy."""
    areas: pd.DataFrame
    """One row per candidate and attack: the areas under the curves."""


def compare_with(pairs: Mapping[str, Sequence[Pair]]) -> Comparison:
    """Compare candidates with a baseline, attack by attack.

    Differences are the candidate minus the baseline, in points of accuracy, with Newcombe's paired 95 %
    interval. ``p_value`` is McNemar's exact test, ``p_holm`` the same with Holm's correction over all tests
    of the table: every candidate, attack and radius, whichever of them a reader looks at. A test that stands
    in several rows counts once: the one at ε = 0, which is the same under every attack unless a defense is
    randomized, and those of attacks that share their computations.

    Args:
        pairs: By candidate, one for each attack; those of one candidate on the same samples and radii.
    """
    tables = [_points(candidate, *pair) for candidate, of_one in pairs.items() for pair in of_one]
    areas = [_areas(candidate, *pair) for candidate, of_one in pairs.items() for pair in of_one]
    points = pd.concat(tables, ignore_index=True)
    tests = dict(zip(points["test"], points["p_value"], strict=True))
    corrected = dict(zip(tests, holm(np.array(list(tests.values()))), strict=True))
    points["p_holm"] = [float(corrected[test]) for test in points["test"]]
    return Comparison(points.drop(columns="test"), pd.DataFrame(areas))


def area(epsilons: Sequence[float], accuracy: Sequence[float]) -> float:
    """The area under a curve (trapezoids) over the width of its grid: the mean accuracy over ε, in [0, 1]."""
    width = epsilons[-1] - epsilons[0]
    return float(np.trapezoid(accuracy, epsilons) / width) if width else float(accuracy[0])


def _points(candidate: str, first: Survival, second: Survival) -> pd.DataFrame:
    counts = paired_counts(first.survived, second.survived)
    interval = newcombe(counts)
    return pd.DataFrame(
        {
            "candidate": candidate,
            "attack": first.attack,
            "epsilon": first.epsilons,
            "n": len(first.samples),
            "baseline_accuracy": first.accuracy,
            "candidate_accuracy": second.accuracy,
            "difference": 100 * (counts.only_second - counts.only_first) / len(first.samples),
            "ci_low": 100 * interval.low,
            "ci_high": 100 * interval.high,
            "only_baseline": counts.only_first,
            "only_candidate": counts.only_second,
            "p_value": mcnemar(counts),
            "test": [_test(candidate, first, second, position) for position in range(len(first.epsilons))],
        }
    )


def _test(candidate: str, first: Survival, second: Survival, position: int) -> tuple[object, ...]:
    """What tells a test from the others: the jobs behind it, or at ε = 0, without an attack, the outcomes."""
    epsilon = first.epsilons[position]
    sides = (first, second)
    key = (side.jobs if epsilon else side.survived[:, position].tobytes() for side in sides)
    return (candidate, epsilon, *key)


def _areas(candidate: str, first: Survival, second: Survival) -> dict[str, object]:
    areas = [area(curve.epsilons, list(curve.accuracy)) for curve in (first, second)]
    return {
        "candidate": candidate,
        "attack": first.attack,
        "baseline_area": areas[0],
        "candidate_area": areas[1],
        "area_difference": 100 * (areas[1] - areas[0]),
    }
