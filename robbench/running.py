"""Running a prepared sweep into a folder, and turning its rows into curves."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from robbench.analysis.worst_of import curves_with_worst_of
from robbench.executors import OutcomeSink, RunObserver, run_locally
from robbench.preparation import PreparedRun
from robbench.schema import OUTCOMES, arrow_schema
from robbench.store import open_run, read_curves
from robbench.sweep.plan import Plan


@dataclass(frozen=True)
class RunReport:
    """What a finished run left.

    Attributes:
        folder: The run's folder.
        curves: The curve table.
        seconds: What each job took, by id.
        was_complete: Whether everything was there already and nothing was computed.
    """

    folder: Path
    curves: pd.DataFrame
    seconds: dict[str, float]
    was_complete: bool


def run_folder(prepared: PreparedRun, out: Path | None) -> Path:
    """Where a run is kept: ``out``, else a folder of its own in ``results``, named after what it computes."""
    name = f"{prepared.spec.dataset}-{prepared.manifest['identity'][:8]}"
    return out if out is not None else Path("results") / name


def run(prepared: PreparedRun, folder: Path, observer: RunObserver) -> RunReport:
    """Run what is missing of a sweep, and write its tables.

    Args:
        prepared: The sweep.
        folder: Where it is kept; an unfinished run of the same sweep there is continued.
        observer: Told how it goes.

    Raises:
        UserError: The folder holds something else, another process writes to it, or it cannot be written.
    """
    with open_run(folder, prepared.manifest) as store:
        was_complete = store.state == "complete"
        if not was_complete:
            run_locally(prepared.plan, prepared.workplace, store, observer)
            outcomes = cell_outcomes(prepared.plan, store)
            store.finish(outcomes, curves_with_worst_of(outcomes, prepared.epsilons))
        seconds = {job_id: record["seconds"] for job_id, record in store.completed_jobs().items()}
    return RunReport(folder, read_curves([folder]).curves, seconds, was_complete)


def cell_outcomes(plan: Plan, sink: OutcomeSink) -> pa.Table:
    """The outcome rows of every curve asked for; curves that share a job have equal rows but for the name."""
    tables = [arrow_schema(OUTCOMES).empty_table()]
    for cell in plan.cells:
        rows = sink.outcomes(cell.job_id)
        names = {"defense": cell.defense, "attack": cell.attack}
        for column, name in names.items():
            position = rows.schema.get_field_index(column)
            values = pa.array([name] * rows.num_rows, pa.string())
            rows = rows.set_column(position, rows.schema.field(column), values)
        tables.append(rows)
    return pa.concat_tables(tables)
