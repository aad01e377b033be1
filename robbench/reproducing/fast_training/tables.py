"""The comparison as a table that a person reads."""

import math
from typing import Any

import pandas as pd

from robbench.figures.titles import printable
from robbench.reproducing.collecting import DONE, NOT_RUN
from robbench.reproducing.fast_training.evidence import CLEAN
from robbench.reproducing.fast_training.seeds import SETTING, over_seeds
from robbench.reproducing.fast_training.settings import setting_title
from robbench.text_table import TextTable

_COLUMNS = (
    "setting",
    "defense",
    "watched for overfitting",
    "seeds",
    "n",
    "clean",
    "PGD-20",
    "n, AutoAttack",
    "AutoAttack",
    "worst of all",
    "95 % interval",
    "of each seed",
    "seconds",
    "forward passes",
    "backward passes",
    "peak memory",
)


def models_table(summary: pd.DataFrame) -> TextTable:
    """One row per defense: accuracies at ε in %, and what a training cost; of several seeds their means.

    Args:
        summary: Columns as in :data:`robbench.reproducing.fast_training.evidence.SUMMARY`.
    """
    done = over_seeds(summary)
    rows = [_row(row) for row in done.to_dict("records")]
    for (dataset, epsilon), setting in summary.groupby(SETTING, sort=False):  # pyright: ignore[reportGeneralTypeIssues]
        known = set(setting.loc[setting["state"] == DONE, "defense"])
        missing = dict.fromkeys(name for name in setting["defense"] if name not in known)
        if missing:
            where, names = setting_title(str(dataset), float(epsilon)), ", ".join(map(printable, missing))
            rows.append((where, names, NOT_RUN, *[""] * (len(_COLUMNS) - 3)))
    return TextTable("Accuracy in %, and what the training cost", _COLUMNS, rows, numbers=13)


def _row(row: dict[Any, Any]) -> tuple[str, ...]:
    return (
        setting_title(row["dataset"], row["epsilon"]),
        printable(row["title"]),
        row["overfitting"] or "not watched",
        f"{row['seeds']}",
        f"{row['n']:,.0f}",
        *(_percent(row[column]) for column in (CLEAN, "pgd")),
        _count(row["n_worst"], 1.0, ""),
        *(_percent(row[column]) for column in ("autoattack", "worst_of")),
        _interval(row["ci_low"], row["ci_high"]),
        " ".join(map(_percent, row["each"])) if row["seeds"] > 1 else "",
        _count(row["seconds"], 1.0, ""),
        _count(row["n_forward"], 1e3, " k"),
        _count(row["n_backward"], 1e3, " k"),
        _count(row["peak_memory"] or None, 1e6, " MB"),
    )


def _percent(share: float | None) -> str:
    return NOT_RUN if share is None or math.isnan(share) else f"{100 * share:.1f}"


def _interval(low: float, high: float) -> str:
    """An interval in %; blank where it is not known."""
    return "" if math.isnan(low) else f"{100 * low:.1f}–{100 * high:.1f}"


def _count(value: int | float | None, unit: float, letter: str) -> str:
    """A number in its unit; blank where it is not known."""
    return "" if value is None or math.isnan(value) else f"{value / unit:,.0f}{letter}"
