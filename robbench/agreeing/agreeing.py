"""Running an agreement: every run into a folder of its own, then the tables, the files and the figure."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd

from robbench.agreeing.conformance import check_conformance
from robbench.agreeing.contract import Agreed, Agreement
from robbench.agreeing.evidence import Evidence, read_evidence
from robbench.agreeing.judging import causes_table, judge_pairs, ladder_table, points_table
from robbench.agreeing.request import AS_RUN, LAST, PreparedAgreement
from robbench.agreeing.tables import AS_RUN_TITLE, agreement_tables
from robbench.agreeing.writing import write_agreement
from robbench.epsilon import natural_unit
from robbench.executors import RunObserver
from robbench.figures.titles import dataset_title, norm_title, printable
from robbench.running import run

RUNS = "runs"
"""The folder of the runs; they can be drawn and compared like any others."""


def agree(
    prepared: PreparedAgreement,
    folder: Path,
    progress: Callable[[int], AbstractContextManager[RunObserver]],
) -> Agreed:
    """Run what is missing, compare the backends, and write what was found.

    Args:
        prepared: The agreement.
        folder: Where it is kept; unfinished runs there are continued.
        progress: Given the number of jobs, shows how they go.

    Raises:
        UserError: The folder holds something else, another process writes to it, or it cannot be written.
    """
    folders = {name: folder / RUNS / name for name in prepared.runs}
    with progress(sum(len(one.plan.jobs) for one in prepared.runs.values())) as observer:
        for name, one in prepared.runs.items():
            run(one, folders[name], observer)
    agreement = _judge(prepared, list(read_evidence(prepared, folders)))
    tables = agreement_tables(agreement)
    manifest = {**prepared.runs[LAST].manifest, "runs": {name: f"{RUNS}/{name}" for name in folders}}
    return Agreed(agreement, tables, write_agreement(agreement, tables, folder, manifest))


def _judge(prepared: PreparedAgreement, evidence: list[Evidence]) -> Agreement:
    first = prepared.runs[LAST]
    pairs, points = judge_pairs(evidence, points_table(evidence))
    dataset = first.workplace.dataset
    return Agreement(
        dataset=dataset.name,
        norm=first.spec.norm,
        title=f"{dataset_title(dataset.name)}, {norm_title(first.spec.norm)}",
        defenses={name: printable(title) for name, title in first.titles.items()},
        unit=natural_unit(first.epsilons),
        samples=len(dataset),
        curves=pd.DataFrame(_curves(evidence)),
        points=points,
        pairs=pairs,
        causes=causes_table(evidence),
        ladder=ladder_table(evidence, pairs),
        conformance=check_conformance(),
        notes=_notes(prepared),
    )


def _curves(evidence: list[Evidence]) -> Iterator[dict[str, object]]:
    for one in evidence:
        tools = dict(one.last)
        if one.as_run is not None:
            tools = {AS_RUN_TITLE: one.as_run, **tools}
        for tool, survival in tools.items():
            for epsilon, accuracy in zip(survival.epsilons, survival.accuracy, strict=True):
                yield {
                    "defense": one.defense,
                    "attack": one.family.name,
                    "tool": tool,
                    "epsilon": epsilon,
                    "n": len(survival.samples),
                    "robust_accuracy": float(accuracy),
                }


def _notes(prepared: PreparedAgreement) -> list[str]:
    left_out = [
        f"{family.name} without {backend}: {reason}"
        for family in prepared.families
        for backend, reason in family.left_out.items()
    ]
    if AS_RUN not in prepared.runs:
        return left_out
    return [*left_out, f"`robbench run` takes its steps in {prepared.precision} on this device."]
