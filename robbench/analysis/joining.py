"""Joining the curves of several runs into one table in which every curve is there once."""

from typing import NamedTuple

import pandas as pd

from robbench.analysis.worst_of import WORST_OF
from robbench.wording import counted

OVER = "over"
"""A column: the attacks that a worst-of curve counts, in words; empty for other curves."""
CURVE = ["dataset", "defense", "attack", OVER, "norm", "criterion"]
"""What a reader takes for one curve."""
_DEFENSE = ["dataset", "defense", "norm", "criterion"]


class JoinedCurves(NamedTuple):
    """One table of several runs' curves."""

    curves: pd.DataFrame
    """The columns of :data:`robbench.schema.CURVES`, ``run`` and :data:`OVER`."""
    notes: list[str]
    """What was left out, in sentences."""


def join_runs(curves: pd.DataFrame) -> JoinedCurves:
    """Keep of every curve that several runs have the newest run's, whole, and of a defense one model.

    Points of different runs are never mixed within a curve: seeds or samples may differ. A defense is what
    the newest run attacked: attacks on other weights of the same name are left out. Where its attacks come
    from several runs, the worst-of curves of one are left out: they would stand beside attacks that they do
    not count.

    Args:
        curves: The columns of :data:`robbench.schema.CURVES`, ``run`` and ``weights``; the oldest run first.
    """
    curves, stale = _without_other_weights(curves.assign(**{OVER: _counted_attacks(curves)}))
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
    return JoinedCurves(joined, [*stale, *notes, *partial])


def _counted_attacks(curves: pd.DataFrame) -> list[str]:
    """For each row the attacks that its worst-of counts: those that its run made on the defense."""
    keys = list(curves[[*_DEFENSE, "run"]].itertuples(index=False, name=None))
    attacks: dict[tuple[str, ...], dict[str, None]] = {}
    for key, attack in zip(keys, curves["attack"], strict=True):
        if attack != WORST_OF:
            attacks.setdefault(key, {})[str(attack)] = None
    return [
        ", ".join(attacks.get(key, {})) if attack == WORST_OF else ""
        for key, attack in zip(keys, curves["attack"], strict=True)
    ]


def _without_other_weights(curves: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep of each defense the curves whose weights are those of the newest run that has it."""
    rows = list(curves[[*_DEFENSE, "run", "weights"]].itertuples(index=False, name=None))
    newest = {tuple(defense): (run, weights) for *defense, run, weights in rows}
    kept, notes = [], dict[str, None]()
    for *defense, run, weights in rows:
        winner, expected = newest[tuple(defense)]
        kept.append(weights == expected or not (weights and expected))
        if not kept[-1]:
            notes[
                f"What {run} says of {defense[1]!r} is left out: the weights differ from those in the newer "
                f"{winner}."
            ] = None
    return curves.loc[kept], list(notes)


def _without_partial_worst_of(curves: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Drop the worst-of curves of one run where the defense has attacks of other runs beside them."""
    kept, names = [], []
    for _, defense in curves.groupby(_DEFENSE, sort=False):
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
