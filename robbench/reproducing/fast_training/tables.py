"""The comparison as a table that a person reads."""

import math
from typing import Any

import pandas as pd

from robbench.figures.titles import printable
from robbench.reproducing.collecting import DONE, NOT_RUN
from robbench.reproducing.fast_training.evidence import CLEAN
from robbench.reproducing.fast_training.settings import setting_title
from robbench.text_table import TextTable

_COLUMNS = (
    "setting",
    "defense",
    "watched for overfitting",
    "n",
    "clean",
    "PGD-20",
    "AutoAttack",
    "worst of all",
    "95 % interval",
    "seconds",
    "forward passes",
    "backward passes",
    "peak memory",
)
_MEGA = 1e6


def models_table(summary: pd.DataFrame) -> TextTable:
    """One row per model: accuracies at ε in %, and what the training cost.

    Args:
        summary: Columns as in :data:`robbench.reproducing.fast_training.evidence.SUMMARY`.
    """
    rows = [_row(row) for row in summary.loc[summary["state"] == DONE].to_dict("records")]
    for _, missing in summary.loc[summary["state"] == NOT_RUN].groupby(["dataset", "epsilon"], sort=False):
        names = ", ".join(map(printable, missing["defense"]))
        head = missing.iloc[0]
        where = setting_title(head["dataset"], head["epsilon"])
        rows.append((where, names, NOT_RUN, *[""] * (len(_COLUMNS) - 3)))
    return TextTable("Accuracy in %, and what the training cost", _COLUMNS, rows, numbers=10)


def _row(row: dict[Any, Any]) -> tuple[str, ...]:
    return (
        setting_title(row["dataset"], row["epsilon"]),
        printable(row["title"]),
        row["overfitting"] or "not watched",
        f"{row['n']:,.0f}",
        *(_percent(row[column]) for column in (CLEAN, "pgd", "autoattack", "worst_of")),
        _interval(row["ci_low"], row["ci_high"]),
        _count(row["seconds"], 1.0, ""),
        _count(row["n_forward"], _MEGA, " M", 1),
        _count(row["n_backward"], _MEGA, " M", 1),
        _count(row["peak_memory"] or None, _MEGA, " MB"),
    )


def _percent(share: float | None) -> str:
    return NOT_RUN if share is None or math.isnan(share) else f"{100 * share:.1f}"


def _interval(low: float, high: float) -> str:
    """An interval in %; blank where it is not known."""
    return "" if math.isnan(low) else f"{100 * low:.1f}–{100 * high:.1f}"


def _count(value: int | float | None, unit: float, letter: str, digits: int = 0) -> str:
    """A number in its unit; blank where it is not known."""
    return "" if value is None or math.isnan(value) else f"{value / unit:,.{digits}f}{letter}"
