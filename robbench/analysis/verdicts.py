"""Results of tests in words: p-values, signed points, and where on the ε axis a candidate is stronger."""

from itertools import groupby
from typing import NamedTuple

import pandas as pd

from robbench.analysis.paired import SIGNIFICANCE
from robbench.epsilon import EpsilonUnit


class _Stretch(NamedTuple):
    """Neighbouring radii with the same answer."""

    word: str
    epsilons: list[float]
    p: float


def verdict(points: pd.DataFrame, unit: EpsilonUnit) -> str:
    """What the tests at every radius say together, such as ``stronger at ε ≥ 0.1 (p < 0.001); …``.

    The p in brackets is the largest of its stretch, so it holds at each of its radii.

    Args:
        points: The rows of one candidate and attack, see :class:`robbench.analysis.comparison.Comparison`.
        unit: The unit of ε.
    """
    points = points.sort_values("epsilon")
    grid = [float(epsilon) for epsilon in points["epsilon"]]
    stretches = _stretches(points)
    found = [stretch for stretch in stretches if stretch.word]
    if not found:
        return "no difference found"
    words = [f"{s.word} {_where(s.epsilons, grid, unit)} ({p_text(s.p, len(s.epsilons))})" for s in found]
    if len(found) < len(stretches):
        words.append(f"no difference found {_elsewhere(stretches)}")
    return "; ".join(words)


def p_text(p: float, tests: int = 1) -> str:
    """A p-value in words, never rounded across 0.05; of several tests, the largest."""
    if p < 0.001:
        return "p < 0.001"
    digits = 2
    while (float(f"{p:.{digits}g}") < SIGNIFICANCE) != (p < SIGNIFICANCE):
        digits += 1
    return f"p {'=' if tests == 1 else '≤'} {p:.{digits}g}"


def p_number(p: float) -> str:
    """A p-value for a column of them: ``0.013`` or ``< 0.001``."""
    return p_text(p).removeprefix("p ").removeprefix("= ")


def signed(points: float) -> str:
    """A difference in points with its sign; one that rounds to zero has none."""
    text = f"{points:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def number_text(number: float | None, unit: str) -> str:
    """What a check measured; empty where it measured nothing.

    Args:
        number: The number.
        unit: ``points``, a difference, or ``%``.
    """
    if number is None:
        return ""
    return f"{signed(number)} points" if unit == "points" else f"{number:.1f} %"


def _stretches(points: pd.DataFrame) -> list[_Stretch]:
    rows = zip(points["epsilon"], points["difference"], points["p_holm"], strict=True)
    answers = [(_word(difference, p), float(epsilon), float(p)) for epsilon, difference, p in rows]
    stretches = []
    for word, members in groupby(answers, key=lambda answer: answer[0]):
        neighbours = list(members)
        stretches.append(_Stretch(word, [m[1] for m in neighbours], max(m[2] for m in neighbours)))
    return stretches


def _word(difference: float, p: float) -> str:
    if p >= SIGNIFICANCE:
        return ""
    return "stronger" if difference > 0 else "weaker"


def _where(epsilons: list[float], grid: list[float], unit: EpsilonUnit) -> str:
    first, last = unit.format(epsilons[0]), unit.format(epsilons[-1])
    if epsilons == grid:
        return "at every ε" if len(grid) > 1 else f"at ε = {first}"
    if len(epsilons) == 1:
        return f"at ε = {first}"
    if epsilons[-1] == grid[-1]:
        return f"at ε ≥ {first}"
    if epsilons[0] == grid[0]:
        return f"at ε ≤ {last}"
    return f"at ε from {first} to {last}"


def _elsewhere(stretches: list[_Stretch]) -> str:
    """Where the radii without a difference are, seen from those with one."""
    positions = [position for position, stretch in enumerate(stretches) if not stretch.word]
    if positions == [0]:
        return "below"
    return "above" if positions == [len(stretches) - 1] else "elsewhere"
