"""What the models cost to train: a table, and the measured answer to the paper's 24-fold speed-up."""

from typing import Any

import pandas as pd

from robbench.figures.titles import dataset_title, defense_title
from robbench.text_table import TextTable
from robbench.wording import percent

_COLUMNS = (
    "dataset",
    "defense",
    "clean accuracy",
    "iterations",
    "of the recipe's",
    "seconds",
    "passes per iteration and image",
    "device",
)
CLAIM = {"mnist": 24.0}
"""How many times longer the paper trained PGD-AT than NSQ, where it gives both times."""


def cost_table(trainings: pd.DataFrame) -> TextTable:
    """One row per model; adopted weights have no cost that is known.

    Args:
        trainings: Columns as in :data:`robbench.reproducing.trainings.COLUMNS`.
    """
    rows = [
        (
            dataset_title(row["dataset"]),
            _title(row),
            f"{percent(row['clean_accuracy'])} of {row['test_samples']:,}",
            *(_cost(row) if row["iterations"] else ("", "", "", "")),
            f"{row['device']}, {row['precision']}",
        )
        for row in trainings.to_dict("records")
    ]
    return TextTable("What training cost", _COLUMNS, rows)


def cost_notes(trainings: pd.DataFrame) -> list[str]:
    """What was trained otherwise than its recipe, and PGD-AT's time over NSQ's beside what the paper says."""
    notes = [
        f"{', '.join(map(_title, rows.to_dict('records')))} on {dataset_title(str(dataset))}: {deviations}."
        for dataset, table in trainings.groupby("dataset", sort=False)
        for deviations, rows in table.groupby("deviations", sort=False)
        if deviations
    ]
    for dataset, table in trainings.loc[trainings["folder"] == ""].groupby("dataset", sort=False):
        newest = {row["defense"]: row for row in table.sort_values("date").to_dict("records")}
        if not {"nsq", "pgd-at"} <= newest.keys():
            continue
        nsq, pgd_at = newest["nsq"], newest["pgd-at"]
        if not (nsq["iterations"] and nsq["seconds"] and pgd_at["iterations"]):
            continue  # adopted, or too short for a clock of tenths of a second
        times = (pgd_at["seconds"] / pgd_at["iterations"]) / (nsq["seconds"] / nsq["iterations"])
        passes = _passes(pgd_at) / _passes(nsq)
        same = nsq["device"] == pgd_at["device"]
        where = "on the same device" if same else f"on {pgd_at['device']} and {nsq['device']}"
        altered = f", PGD-AT with {pgd_at['altered']}" if pgd_at["altered"] else ""
        ratio = CLAIM.get(str(dataset))
        claim = f" The paper's times, of whole trainings, have a ratio of {ratio:g}." if ratio else ""
        notes.append(
            f"{dataset_title(str(dataset))}: one iteration of PGD-AT took {times:.1f} times as long as one "
            f"of NSQ ({where}), and {passes:.1f} times as many passes{altered}.{claim}"
        )
    return notes


def _cost(row: dict[Any, Any]) -> tuple[str, ...]:
    return (
        f"{row['iterations']:,}",
        f"{row['recipe_iterations']:,}" if row["recipe_iterations"] else "",
        f"{row['seconds']:,.0f}",
        f"{_passes(row):.1f}",
    )


def _title(row: dict[Any, Any]) -> str:
    """What print calls a training: the defense, and its folder where it is not the ordinary model."""
    title = row["title"] or defense_title(row["defense"])
    return f"{title} ({row['folder']})" if row["folder"] else title


def _passes(row: dict[Any, Any]) -> float:
    """Forward and backward passes of one image, for each time an image is shown."""
    return (row["n_forward"] + row["n_backward"]) / (row["iterations"] * row["batch_size"])
