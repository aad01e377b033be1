"""Joining the curves of several runs into one table in which every curve is there once."""

from typing import NamedTuple

import pandas as pd

CURVE = ["dataset", "defense", "attack", "norm", "criterion"]
"""What a reader takes for one curve."""


class JoinedCurves(NamedTuple):
    """One table of several runs' curves."""

    curves: pd.DataFrame
    """The columns of :data:`robbench.schema.CURVES`, and ``run``."""
    notes: list[str]
    """What was left out, in sentences."""


def join_runs(curves: pd.DataFrame) -> JoinedCurves:
    """Keep of every curve that several runs have the newest run's, whole.

    Points of different runs are never mixed within a curve: weights, seeds or samples may differ.

    Args:
        curves: The columns of :data:`robbench.schema.CURVES`, and ``run``; the oldest run first.
    """
    order = {run: position for position, run in enumerate(curves["run"].unique())}
    age = curves["run"].map(order)
    newest = age.groupby([curves[key] for key in CURVE], sort=False).transform("max")
    kept = age == newest
    notes = [_note(curves, run, age, newest, list(order)) for run in curves.loc[~kept, "run"].unique()]
    return JoinedCurves(curves[kept].reset_index(drop=True), notes)


def _note(curves: pd.DataFrame, run: str, age: pd.Series, newest: pd.Series, runs: list[str]) -> str:
    dropped = curves[(curves["run"] == run) & (age != newest)].drop_duplicates(CURVE)
    first = dropped.iloc[0]
    winner = runs[int(newest[dropped.index[0]])]
    count = "1 curve" if len(dropped) == 1 else f"{len(dropped)} curves"
    example = "" if len(dropped) == 1 else "for example "
    return (
        f"{count} of {run} {'is' if len(dropped) == 1 else 'are'} left out, because a newer run has the same: "
        f"{example}{first['defense']} under {first['attack']} on {first['dataset']}, in {winner}."
    )
