"""Joining the curves of several runs into one table in which every curve is there once."""

from typing import NamedTuple

import pandas as pd

from robbench.analysis.unguided import unguided_notes
from robbench.analysis.worst_of import WORST_OF
from robbench.wording import counted

CURVE = ["dataset", "defense", "attack", "attacks", "norm", "criterion"]
"""What a reader takes for one curve; worst-of over other attacks is another."""
_DEFENSE = ["dataset", "defense", "norm", "criterion"]


class JoinedCurves(NamedTuple):
    """One table of several runs' curves."""

    curves: pd.DataFrame
    """The columns of the curves that were joined, and ``attacks``: the attack, of worst-of all that it
    counts, sorted and joined by `` + ``."""
    notes: list[str]
    """What was left out, what is not on the same data, and what is no robustness, in sentences."""


def join_runs(curves: pd.DataFrame) -> JoinedCurves:
    """Keep of every curve that several runs have the newest run's, whole, and of a defense one model.

    Points of different runs are never mixed within a curve: seeds or samples may differ. A defense is what
    the newest run attacked: attacks on other weights of the same name are left out. Worst-of over other
    attacks is another curve, and kept.

    Args:
        curves: The columns of :data:`robbench.schema.CURVES`, ``run``, ``weights``, ``fingerprint`` and
            ``unguided``; the oldest run first.
    """
    curves, stale = _without_other_weights(_with_attacks(curves))
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
    joined = curves.loc[kept].reset_index(drop=True)
    unguided = joined.loc[joined["unguided"], ["defense", "attack"]]
    cautions = unguided_notes(unguided.itertuples(index=False, name=None))
    return JoinedCurves(joined, [*stale, *notes, *_other_data(joined), *cautions])


def _with_attacks(curves: pd.DataFrame) -> pd.DataFrame:
    """Say of every curve which attacks it counts; of worst-of they are those that its run has."""
    rows = list(curves[["run", *_DEFENSE, "attack"]].itertuples(index=False, name=None))
    met: dict[tuple[str, ...], set[str]] = {}
    for *defense, attack in rows:
        met.setdefault(tuple(defense), set()).update({attack} - {WORST_OF})
    counted = [
        " + ".join(sorted(met[tuple(defense)])) if attack == WORST_OF else attack for *defense, attack in rows
    ]
    return curves.assign(attacks=counted)


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


def _other_data(curves: pd.DataFrame) -> list[str]:
    """Which runs' data differ under one name; for other numbers of samples fingerprints differ anyhow."""
    known = curves.loc[curves["fingerprint"] != ""]
    notes = []
    for (dataset, _), rows in known.groupby(["dataset", "n"], sort=False):
        runs = dict(zip(rows["fingerprint"], rows["run"], strict=True))
        if len(runs) > 1:
            named = ", ".join(f"{run} ({fingerprint})" for fingerprint, run in runs.items())
            notes.append(
                f"Different data are called {dataset}, as their fingerprints show: {named}. Their images, "
                "labels or order differ: only `robbench compare` pairs image with image."
            )
    return notes


def _note(run: str, winners: dict[tuple[str, ...], str]) -> str:
    (dataset, defense, attack, *_), winner = next(iter(winners.items()))
    count = counted(len(winners), "curve")
    verb, example = ("is", "") if len(winners) == 1 else ("are", "for example ")
    return (
        f"{count} of {run} {verb} left out, because a newer run has the same: "
        f"{example}{defense} under {attack} on {dataset}, in {winner}."
    )
