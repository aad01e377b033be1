"""Tables of a target: accuracies with their intervals, and the paper's numbers beside ours."""

from typing import Any

import numpy as np
import pandas as pd

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.analysis.verdicts import signed
from robbench.analysis.worst_of import WORST_OF, attack_count
from robbench.epsilon import natural_unit
from robbench.figures.paper_points import PAPER_POINTS, PaperPoint, points_of
from robbench.figures.titles import attack_title, dataset_title, defense_title
from robbench.reproducing.collecting import DONE, NOT_RUN
from robbench.text_table import TextTable

_NUMBERS = ("attack", "n", "clean", "at the largest ε", "95 % interval")
_PAPER_COLUMNS = (
    "dataset",
    "defense",
    "attack of the paper",
    "ε",
    "paper",
    "ours",
    "n",
    "95 % interval",
    "difference",
    "worst of several attacks, any iterate",
)
_SAME = 1e-9


def accuracy_table(data: pd.DataFrame, title: str) -> TextTable:
    """One row per curve: clean accuracy, and that at the largest ε, in %; what is missing says so."""
    several = len(set(data["dataset"])) > 1
    rows = []
    for _, curves in data.groupby(["protocol", "dataset", "defense", "state"], sort=False):
        head = curves.iloc[0]
        dataset = (dataset_title(head["dataset"]),) if several else ()
        names = (head["protocol"], *dataset, defense_title(head["defense"]))
        rows += [(*names, *cells) for cells in _cells(curves)]
    columns = ("protocol", *(("dataset",) if several else ()), "defense", *_NUMBERS)
    return TextTable(title, columns, rows, numbers=4)


def _cells(curves: pd.DataFrame) -> list[tuple[str, ...]]:
    """The attack and the numbers of each curve; one row for all that was not run."""
    attacks = ["attack", "criterion"]
    if curves["state"].iloc[0] == NOT_RUN:
        return [(f"{len(curves.groupby(attacks))} attacks", NOT_RUN, "", "", "")]
    rows = []
    for _, curve in curves.groupby(attacks, sort=False):
        first, last = curve.iloc[0], curve.iloc[-1]
        at_largest = f"{percent(last)} at {_epsilon(curve)}"
        rows.append((_attack_words(first), f"{first['n']:,}", percent(first), at_largest, interval(last)))
    return rows


def paper_table(data: pd.DataFrame) -> TextTable:
    """Every accuracy that the paper states, and ours under the same attack and under the worst of several.

    Where several runs give a number of ours, that of most samples stands here.

    Args:
        data: The curves of all targets, columns as in :data:`robbench.reproducing.collecting.COLUMNS`.
    """
    done = data.loc[(data["state"] == DONE)]
    rows = [_paper_row(point, done) for point in PAPER_POINTS]
    return TextTable("The numbers that the paper states, in %", _PAPER_COLUMNS, rows, numbers=6)


def percent(row: pd.Series) -> str:
    """The accuracy of a curve's row in %."""
    return f"{100 * row['robust_accuracy']:.1f}"


def interval(row: pd.Series) -> str:
    """The 95 % interval of a curve's row in %."""
    return f"{100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f}"


def _paper_row(point: PaperPoint, done: pd.DataFrame) -> tuple[str, ...]:
    attack = {"exact": "PGD", "substitute": "BPDA (layer left out)"}[point.view]
    words = f"{attack}, {point.steps} steps" if point.steps else "none"
    top5 = ", top-5" if point.criterion == "top5" else ""
    unit = natural_unit([point.epsilon])
    names = (
        dataset_title(point.dataset),
        defense_title(point.defense),
        words + top5,
        unit.format(point.epsilon),
        f"{100 * point.accuracy:.2f}",
    )
    ours, worst = _row_for(point, done, PAPER), _worst_for(point, done)
    if ours is None:
        return (*names, NOT_RUN, "", "", "", worst)
    difference = signed(100 * (ours.to_dict()["robust_accuracy"] - point.accuracy))
    return (*names, percent(ours), f"{ours['n']:,}", interval(ours), difference, worst)


def _row_for(point: PaperPoint, done: pd.DataFrame, protocol: str) -> pd.Series | None:
    for _, curve in done.loc[done["protocol"] == protocol].groupby(
        ["dataset", "defense", "attack", "criterion"]
    ):
        if any(found == point for found in points_of(curve)):
            at = _at(curve, point.epsilon)
            return at.loc[at["n"] == at["n"].max()].iloc[0]
    return None


def _worst_for(point: PaperPoint, done: pd.DataFrame) -> str:
    """Under the worst of the attacks of the stronger protocol; nothing where there was no attack.

    That on most samples, and after it those on fewer that count more attacks.
    """
    same = {
        "protocol": STRONGER,
        "dataset": point.dataset,
        "defense": point.defense,
        "criterion": point.criterion,
        "attack": WORST_OF,
    }
    if not point.steps:
        return ""
    rows = _at(
        done.loc[np.logical_and.reduce([done[key] == value for key, value in same.items()])], point.epsilon
    )
    words, most = [], 0
    for _, row in rows.sort_values("n", ascending=False, kind="stable").iterrows():
        count = attack_count(str(row["job_id"]))
        if count > most:
            words.append(f"{percent(row)} ({interval(row)}) of {row['n']:,} under {count} attacks")
        most = max(most, count)
    return "; ".join(words)


def _at(curves: pd.DataFrame, epsilon: float) -> pd.DataFrame:
    return curves.loc[(curves["epsilon"] - epsilon).abs() < _SAME]


def _attack_words(row: Any) -> str:
    loss = row["loss"] if isinstance(row["loss"], str) else ""
    name, details, _ = attack_title(row["attack"], loss, "")
    top5 = ["top-5"] if row["criterion"] == "top5" else []
    return ", ".join([name, *details, *top5])


def _epsilon(curve: pd.DataFrame) -> str:
    return natural_unit(curve["epsilon"]).format(curve["epsilon"].iloc[-1])
