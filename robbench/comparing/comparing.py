"""From a folder of runs to a comparison: tables, files and what to fail on."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from robbench.analysis.comparison import Comparison, compare_with
from robbench.analysis.paired import SIGNIFICANCE, holm
from robbench.analysis.survival import Survival
from robbench.analysis.verdicts import p_text, verdict
from robbench.analysis.worst_of import WORST_OF
from robbench.comparing.contract import Compared, ComparedDataset, ComparisonRequest
from robbench.comparing.costs import Cost, total_cost
from robbench.comparing.gathering import Found, Gathered, gather
from robbench.comparing.matching import Matched, match, said_together
from robbench.comparing.radii import choose_radii
from robbench.comparing.tables import cost_table, points_table, verdict_table
from robbench.comparing.writing import write_comparison
from robbench.epsilon import EpsilonUnit, natural_unit
from robbench.errors import UserError
from robbench.figures.titles import dataset_title, distinct_titles, norm_title, printable
from robbench.registry import suggest

_LEAVE_OUT = "Leave out what has other radii: --dataset, --norm and --criterion choose."


def compare(request: ComparisonRequest, out: str | Path | None = None) -> Compared:
    """Compare defenses with a baseline on the same samples, and write the comparison.

    Args:
        request: What is compared.
        out: The folder for the files; None: ``comparison`` in ``request.results``.

    Returns:
        The comparison. ``worse`` has a candidate if at one of the radii shown its accuracy under worst-of of
        the attacks that both met (of a single one, under that) is more than ``fail_if_worse`` points below
        the baseline's and McNemar's p-value is below 0.05 with Holm's correction over the candidates and the
        radii shown.

    Raises:
        UserError: No complete run, a damaged one, unknown names, nothing that was run on the same samples and
            swept alike, a radius that is in no grid, a named candidate that cannot be compared, with
            ``fail_if_worse`` one of which anything that both met is left out, or no place to write. Nothing
            has then been written.
    """
    results = Path(request.results)
    compared = find_differences(request, gather(results))
    files = write_comparison(compared.datasets, Path(out or results / "comparison"))
    return compared._replace(files=files)


def find_differences(request: ComparisonRequest, found: Found) -> Compared:
    """As :func:`compare` of what was gathered, and nothing is written."""
    allowed = request.fail_if_worse
    if allowed is not None and not (math.isfinite(allowed) and allowed >= 0):
        raise UserError(f"--fail-if-worse takes points of accuracy from 0 on, not {allowed:g}.")
    groups = _choose_groups(found.groups, request)
    shared = [*found.notes, *_absent_candidates(groups, request)]
    notes, datasets, worse = list(shared), [], []
    for group in groups:
        matched = match(group, request.baseline, request.candidates)
        said = said_together(matched.dropped) + matched.notes
        _check_judged(group, matched.dropped, request)
        if matched.pairs:
            others = _LEAVE_OUT if len(groups) > 1 else ""
            compared, lacking, failing = _compare_group(group, matched, request, others)
            _check_judged(group, lacking, request)
            said += said_together(lacking)
            datasets.append(replace(compared, notes=(*shared, *said)))
            worse += failing
        notes += said
    if not datasets:
        raise UserError(
            f"There is nothing to compare {request.baseline!r} with in {request.results}.",
            " ".join(notes) or "Run another defense with the same attacks on the same samples.",
        )
    compared = {name for found in datasets for name in found.points["candidate"]}
    left_out = [printable(name) for name in request.candidates if name not in compared]
    if left_out:
        raise UserError(
            f"{', '.join(left_out)} cannot be compared with {printable(request.baseline)}.", " ".join(notes)
        )
    return Compared(datasets, [], notes, worse)


def _check_judged(group: Gathered, dropped: Mapping[str, list[str]], request: ComparisonRequest) -> None:
    """Refuse to pass a candidate of which something that is to be judged was left out."""
    if request.fail_if_worse is None or not dropped:
        return
    others = [] if request.candidates else ["To judge only some defenses, name them with --candidate."]
    raise UserError(
        f"--fail-if-worse cannot judge {', '.join(map(printable, dropped))} on {printable(group.dataset)}.",
        " ".join(said_together(dropped) + others),
    )


def _choose_groups(groups: list[Gathered], request: ComparisonRequest) -> list[Gathered]:
    """The groups that have the baseline."""
    for name in ("dataset", "norm", "criterion"):
        asked = getattr(request, name)
        if asked is not None:
            known = {getattr(group, name) for group in groups}
            if asked not in known:
                raise suggest(f"{name} in {request.results}", asked, known)
            groups = [group for group in groups if getattr(group, name) == asked]
    defenses = {name for group in groups for name in group.survivals}
    for name in (request.baseline, *request.candidates):
        if name not in defenses:
            raise suggest(f"defense in {request.results}", name, defenses)
    if request.baseline in request.candidates:
        raise UserError(f"{request.baseline!r} cannot be compared with itself.", "Name another --candidate.")
    return [group for group in groups if request.baseline in group.survivals]


def _absent_candidates(groups: list[Gathered], request: ComparisonRequest) -> list[str]:
    """Candidates that never stand beside the baseline, in sentences."""
    return [
        f"{printable(name)} is left out: it was not run on the same dataset, norm and criterion as "
        f"{printable(request.baseline)}."
        for name in request.candidates
        if not any(name in group.survivals for group in groups)
    ]


def _compare_group(
    group: Gathered, matched: Matched, request: ComparisonRequest, otherwise: str
) -> tuple[ComparedDataset, dict[str, list[str]], list[str]]:
    """The comparison, by candidate the radii that it lacks, and who is worse than allowed, in sentences."""
    baseline, comparison = request.baseline, compare_with(matched.pairs)
    points = comparison.points
    unit = natural_unit(points["epsilon"])
    verdicts = _verdicts(group, baseline, comparison, unit)
    title = f"{dataset_title(group.dataset)}, {norm_title(group.norm)}"
    if group.criterion != "top1":
        title += f", {printable(group.criterion)}"
    grids = {name: of_one[0][0].epsilons for name, of_one in matched.pairs.items()}
    chosen, lacking = choose_radii(request.at, grids, unit, title, otherwise)
    keys = zip(points["candidate"], points["epsilon"], strict=True)
    shown = points.loc[[epsilon in chosen[name] for name, epsilon in keys]]
    heading = f"{title}: accuracy in %, candidate minus baseline in points"
    called = request.titles or distinct_titles({name: name for name in (baseline, *matched.pairs)})
    tables = (
        points_table(shown, heading, baseline, unit, called),
        verdict_table(verdicts, title, baseline, called),
        cost_table(_costs(group, baseline, matched), title, called),
    )
    compared = ComparedDataset(
        dataset=group.dataset,
        norm=group.norm,
        criterion=group.criterion,
        baseline=baseline,
        title=title,
        defenses=group.titles,
        unit=unit,
        points=points,
        verdicts=verdicts,
        tables=tables,
        notes=(),
    )
    return compared, lacking, _worse(shown, compared, request.fail_if_worse)


def _verdicts(group: Gathered, baseline: str, comparison: Comparison, unit: EpsilonUnit) -> pd.DataFrame:
    """The areas, with the verdict in words; none where an attack had no gradient to follow."""
    points = comparison.points
    words = {key: verdict(rows, unit) for key, rows in points.groupby(["candidate", "attack"], sort=False)}
    for candidate, rows in points.groupby("candidate", sort=False):
        for name in (str(candidate), baseline):
            for attack in _unguided(group, name, set(rows["attack"])):
                words[candidate, attack] = f"none: the attack had no gradient of {printable(name)} to follow"
    keys = comparison.areas[["candidate", "attack"]].itertuples(index=False, name=None)
    return comparison.areas.assign(verdict=[words[key] for key in keys])


def _unguided(group: Gathered, defense: str, attacks: set[str]) -> set[str]:
    """The attacks that had no gradient of a defense; worst-of, too, where that is all of them."""
    without = {attack for attack in attacks if (defense, attack) in group.unguided}
    return without | {WORST_OF} if without and without == attacks - {WORST_OF} else without


def _costs(group: Gathered, baseline: str, matched: Matched) -> dict[tuple[str, str], Cost]:
    """Of every curve compared; worst-of costs what its attacks cost, shared computations once."""
    curves: dict[str, dict[str, Survival]] = {baseline: {}}
    for name, pairs in matched.pairs.items():
        curves[name] = {second.attack: second for _, second in pairs}
        curves[baseline] |= {first.attack: first for first, _ in pairs}
    costs = {}
    for name, attacks in curves.items():
        has_worst_of = attacks.pop(WORST_OF, None) is not None
        costs |= {(name, attack): group.costs[name, attack] for attack in attacks}
        if has_worst_of:
            by_jobs = {survival.jobs: group.costs[name, attack] for attack, survival in attacks.items()}
            costs[name, WORST_OF] = total_cost(by_jobs.values())
    return costs


def _worse(shown: pd.DataFrame, compared: ComparedDataset, allowed: float | None) -> list[str]:
    """The candidates that are worse than allowed.

    A family of tests of its own: who names few radii before looking shall not pay for the others.
    """
    if allowed is None:
        return []
    # Worst-of stands last; where there is none, all that a candidate has is one computation.
    last = shown.groupby("candidate", sort=False)["attack"].transform("last")
    rows = shown.loc[shown["attack"] == last]
    corrected = holm(rows["p_value"].to_numpy(dtype=np.float64))
    rows = rows.assign(corrected=corrected)
    return [
        f"{printable(row.candidate)} is worse than {printable(compared.baseline)} on {compared.title}: "
        f"{-row.difference:.1f} points lower under {printable(row.attack)} at ε = "
        f"{compared.unit.format(row.epsilon)}, and {allowed:g} {'is' if allowed == 1 else 'are'} allowed "
        f"({p_text(row.corrected)}, "
        f"corrected over {len(rows)} test{'s' if len(rows) > 1 else ''})."
        for row in rows.loc[(rows["difference"] < -allowed) & (corrected < SIGNIFICANCE)].itertuples()
    ]
