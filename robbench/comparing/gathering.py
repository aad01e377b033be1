"""Gathering outcomes from several runs: what each defense survived, and what it cost."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from robbench.analysis.joining import join_runs
from robbench.analysis.survival import Survival, survivals_of
from robbench.analysis.sweeps import Sweep
from robbench.analysis.worst_of import WORST_OF
from robbench.comparing.costs import Cost, cost_of
from robbench.errors import UserError
from robbench.figures.titles import defense_titles
from robbench.store import find_runs, read_outcomes, read_some_curves
from robbench.store.layout import OUTCOMES_TABLE, read_manifest

_KEYS = ["dataset", "norm", "criterion"]


@dataclass
class Gathered:
    """What was found of one dataset, norm and criterion; these are never mixed.

    Attributes:
        dataset: The dataset's name.
        norm: ``linf`` or ``l2``.
        criterion: ``top1`` or ``top5``.
        survivals: What survived, by defense and attack.
        costs: What it cost, by defense and attack.
        sweeps: How it was swept, by defense and attack.
        titles: What its runs print for each defense.
        unguided: Where the attack had no gradient to follow: to survive it is no robustness.
    """

    dataset: str
    norm: str
    criterion: str
    survivals: dict[str, dict[str, Survival]] = field(default_factory=dict)
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    sweeps: dict[tuple[str, str], Sweep] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    unguided: set[tuple[str, str]] = field(default_factory=set)


class Found(NamedTuple):
    """What the complete runs in a folder hold."""

    groups: list[Gathered]
    notes: list[str]
    """What was left out, in sentences."""


def gather(results: Path) -> Found:
    """Read the complete runs of a folder; of what several have, the newest run's counts.

    A defense is what the newest run attacked: attacks on other weights of the same name are left out.

    Args:
        results: A run, or a folder that holds runs.

    Raises:
        UserError: No complete run, or a damaged one; the message names the file.
    """
    runs = find_runs(results)
    read = read_some_curves(runs, "compare")
    # Worst-of is built anew, over the attacks of all runs.
    joined = join_runs(read.curves.loc[read.curves["attack"] != WORST_OF])
    manifests = {str(run): read_manifest(run) for run in runs}
    groups: dict[tuple[str, ...], Gathered] = {}
    for run in dict.fromkeys(joined.curves["run"]):
        _add(groups, joined.curves.loc[joined.curves["run"] == run], Path(run), manifests[run])
    return Found(list(groups.values()), [*read.notes, *joined.notes])


def _add(
    groups: dict[tuple[str, ...], Gathered], curves: pd.DataFrame, run: Path, manifest: dict[str, Any]
) -> None:
    """Add the curves of one run, with the rows behind them."""
    outcomes = dict(list(read_outcomes(run).groupby([*_KEYS, "defense"], sort=False)))
    for key, points in curves.groupby([*_KEYS, "defense"], sort=False):
        dataset, norm, criterion, defense = map(str, key)  # pyright: ignore[reportArgumentType]
        group = groups.setdefault((dataset, norm, criterion), Gathered(dataset, norm, criterion))
        group.titles |= defense_titles(points)
        epsilons = tuple(sorted({float(epsilon) for epsilon in points["epsilon"]}))
        group.unguided |= {(defense, str(attack)) for attack in points.loc[points["unguided"], "attack"]}
        wanted = dict(zip(points["attack"], points["strategy"], strict=True))
        views = dict(zip(points["attack"], points["view"], strict=True))
        rows = outcomes.get(key)
        missing = set(wanted) - set([] if rows is None else rows["attack"])
        if rows is None or missing:
            raise UserError(
                f"{run} has curves without rows: {defense!r} under {min(missing)!r}.",
                "Delete its curves.parquet and repeat the command that began the run.",
            )
        for attack, survival in _survivals(
            run, rows.loc[rows["attack"].isin(list(wanted))], epsilons
        ).items():
            group.survivals.setdefault(defense, {})[attack] = survival
            group.costs[defense, attack] = cost_of(manifest, defense, survival.jobs)
            command = str(manifest.get("command") or "")
            parts = _ingredients(manifest, attack, views[attack])
            group.sweeps[defense, attack] = Sweep(
                str(run), command, wanted[attack], epsilons, parts, len(survival.samples)
            )


def _survivals(run: Path, rows: pd.DataFrame, epsilons: tuple[float, ...]) -> dict[str, Survival]:
    try:
        return survivals_of(rows, epsilons)
    except ValueError as error:
        raise UserError(
            f"{run / OUTCOMES_TABLE} does not fit its run's curves: {error}.",
            "Delete that file and repeat the command that began the run: it is written anew.",
        ) from error


def _ingredients(manifest: dict[str, Any], attack: str, view: str) -> tuple[tuple[str, str], ...]:
    """What an attack was made of beside robbench, as far as the run's record says."""
    spec = manifest.get("spec")
    if not isinstance(spec, dict):
        return ()
    source = view.removeprefix("transfer:") if view.startswith("transfer:") else ""
    names = (*([f"weights of {source}"] if source else []), f"code of {attack}")
    return tuple((name, str(spec[name])) for name in names if spec.get(name))
