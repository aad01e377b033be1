"""A comparison as tables that a person reads."""

from collections.abc import Mapping

import pandas as pd

from robbench.analysis.verdicts import p_number, signed
from robbench.comparing.costs import Cost
from robbench.epsilon import EpsilonUnit
from robbench.figures.titles import printable
from robbench.text_table import TextTable


def points_table(
    points: pd.DataFrame, title: str, baseline: str, unit: EpsilonUnit, called: Mapping[str, str]
) -> TextTable:
    """Accuracy of both, their difference with its interval, and the test.

    The number of samples stands in the title, or in a column where it is not the same in every row.

    Args:
        points: The rows to show, see :class:`robbench.analysis.comparison.Comparison`.
        title: What stands above it.
        baseline: The baseline's name.
        unit: The unit of ε.
        called: What is printed for each defense, here and in the other tables.
    """
    counts = sorted(set(points["n"]))
    several = len(counts) > 1
    rows = [
        (
            called[row["candidate"]],
            printable(row["attack"]),
            unit.format(row["epsilon"]),
            *([f"{row['n']:,}"] if several else []),
            _percent(row["baseline_accuracy"]),
            _percent(row["candidate_accuracy"]),
            signed(row["difference"]),
            f"{signed(row['ci_low'])} to {signed(row['ci_high'])}",
            p_number(row["p_holm"]),
        )
        for row in points.to_dict("records")
    ]
    shares = (f"{called[baseline]} %", "candidate %")
    counted = ["n"] if several else []
    columns = ("candidate", "attack", "ε", *counted, *shares, "difference", "95 % interval", "p (Holm)")
    title += "" if several else f", n = {counts[0]:,}"
    return TextTable(title, columns, rows, numbers=6 + several)


def verdict_table(verdicts: pd.DataFrame, title: str, baseline: str, called: Mapping[str, str]) -> TextTable:
    """The verdict in words and the areas under the curves, per candidate and attack."""
    rows = [
        (
            called[row["candidate"]],
            printable(row["attack"]),
            row["verdict"],
            _percent(row["baseline_area"]),
            _percent(row["candidate_area"]),
            signed(row["area_difference"]),
        )
        for row in verdicts.to_dict("records")
    ]
    columns = ("candidate", "attack", "verdict", f"{called[baseline]} %", "candidate %", "difference")
    heading = f"{title}: against {called[baseline]}, and the mean accuracy over the grid (area)"
    return TextTable(heading, columns, rows, numbers=3)


def cost_table(costs: dict[tuple[str, str], Cost], title: str, called: Mapping[str, str]) -> TextTable:
    """What training and evaluation cost, per defense and attack; blank where it is not known."""
    rows = [
        (
            called[defense],
            printable(attack),
            _number(cost.training_seconds),
            _number(cost.passes),
            _number(cost.seconds, 1),
        )
        for (defense, attack), cost in costs.items()
    ]
    columns = ("defense", "attack", "training seconds", "passes", "attack seconds")
    return TextTable(f"{title}: cost", columns, rows, numbers=3)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
