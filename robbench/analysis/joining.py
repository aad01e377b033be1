"""Joining the curves of several runs into one table in which every curve is there once."""

from typing import NamedTuple

import pandas as pd

from robbench.analysis.worst_of import WORST_OF
from robbench.wording import counted

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

    Points of different runs are never mixed within a curve: weights, seeds or samples may differ. Where a
    defense's attacks come from several runs, the worst-of curves of one are left out: they would stand beside
    attacks that they do not count.

    Args:
        curves: The columns of :data:`robbench.schema.CURVES`, and ``run``; the oldest run first.
    """
    points = list(curves[[*CURVE, "run"]].itertuples(index=False, name=None))
    newest = {tuple(curve): run for *curve, run in points}
    kept = [newest[tuple(curve)] == run for *curve, run in points]
    samples = dict(zip(points, curves["n"], strict=True))
    strategies = dict(zip(points, curves["strategy"], strict=True))
    left_out: dict[str, dict[tuple[str, ...], str]] = {}
    for (*curve, run), keep in zip(points, kept, strict=True):
        if not keep:
            winner = newest[tuple(curve)]
            count, before = samples[(*curve, winner)], samples[(*curve, run)]
            fewer = f" on {count} samples instead of {before}" if count < before else ""
            strategy, other = strategies[(*curve, winner)], strategies[(*curve, run)]
            swept = f", swept by {strategy} instead of {other}" if strategy != other else ""
            left_out.setdefault(run, {})[tuple(curve)] = winner + fewer + swept
    notes = [_note(run, winners) for run, winners in left_out.items()]
    joined, partial = _without_partial_worst_of(curves.loc[kept].reset_index(drop=True))
    return JoinedCurves(joined, [*notes, *partial])


def _without_partial_worst_of(curves: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Drop the worst-of curves of one run where the defense has attacks of other runs beside them."""
    kept, names = [], []
    for _, defense in curves.groupby(["dataset", "defense", "norm", "criterion"], sort=False):
        worst = defense["attack"] == WORST_OF
        if any(worst) and len(set(defense["run"])) > 1:
            kept.append(defense.loc[~worst])
            names.append(f"{defense['defense'].iloc[0]} on {defense['dataset'].iloc[0]}")
        else:
            kept.append(defense)
    if not names:
        return curves, []
    note = f"Worst-of is left out for {', '.join(names)}: the attacks are in several runs. "
    return pd.concat(kept).sort_index(), [note + "`robbench compare` takes all of them."]


def _note(run: str, winners: dict[tuple[str, ...], str]) -> str:
    (dataset, defense, attack, *_), winner = next(iter(winners.items()))
    count = counted(len(winners), "curve")
    verb, example = ("is", "") if len(winners) == 1 else ("are", "for example ")
    return (
        f"{count} of {run} {verb} left out, because a newer run has the same: "
        f"{example}{defense} under {attack} on {dataset}, in {winner}."
    )
