"""The store of a run being written: outcomes arrive in parts, and survive a kill at any moment."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from robbench.files import check_folder, make_folder, remove_unfinished, write_csv, write_json, write_table
from robbench.schema import CURVES, OUTCOMES, SCHEMA_VERSION
from robbench.store.examples import example_files
from robbench.store.identity import examine_folder, provenance_changes
from robbench.store.jobs import JobFiles
from robbench.store.layout import CURVES_CSV, CURVES_TABLE, JOBS, OUTCOMES_TABLE, RUN, is_complete
from robbench.store.lock import sole_writer
from robbench.store.tables import conform

_SAMPLE_INDEX = tuple(column for column in OUTCOMES if column.name == "sample_index")


class RunStore:
    """The files of one run, held by its only writer; made by :func:`open_run`.

    A job is complete if and only if ``run.json`` says so and its one file is there; until then its rows are
    those of its parts. Every file appears by rename, and nothing is removed before what replaces it is on
    disk, so a kill between any two operations costs at most the part being written.

    Attributes:
        folder: Where the run is.
        manifest: What ``run.json`` says.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self._jobs = JobFiles(folder / JOBS)
        self._examples = example_files(folder)

    @property
    def state(self) -> Literal["running", "complete"]:
        """``complete`` once :meth:`finish` has been called, and as long as its tables and jobs are there."""
        has_jobs = len(self.completed_jobs()) == len(self.manifest["jobs"])
        return "complete" if has_jobs and is_complete(self.folder, self.manifest) else "running"

    def completed_jobs(self) -> dict[str, dict[str, Any]]:
        """The record of every completed job, by job id."""
        jobs: dict[str, dict[str, Any]] = self.manifest["jobs"]
        return {job_id: record for job_id, record in jobs.items() if self._jobs.is_merged(job_id)}

    def stored_indices(self, job_id: str) -> frozenset[int]:
        """The ``sample_index`` of every row stored for a job.

        Raises:
            UserError: A file of the job is damaged.
        """
        return frozenset(self._read(job_id, _SAMPLE_INDEX)["sample_index"].to_pylist())

    def append(self, job_id: str, rows: pa.Table, seconds: float = 0.0) -> None:
        """Store more rows of a job; they are on disk when this returns.

        Args:
            job_id: The job, not complete.
            rows: Columns as in :data:`robbench.schema.OUTCOMES`.
            seconds: How long they took.
        """
        if job_id in self.completed_jobs():
            raise ValueError(f"job {job_id} is complete and takes no more rows")
        self._jobs.append(job_id, rows, seconds)

    def seconds(self, job_id: str) -> float:
        """How long the rows of a job took that is not complete, all processes together."""
        return self._jobs.seconds(job_id)

    def recall(self, job_id: str) -> dict[str, Any]:
        """What a job remembered beside its rows; empty at first."""
        return self.manifest.get("facts", {}).get(job_id, {})

    def remember(self, job_id: str, facts: dict[str, Any]) -> None:
        """Keep a few facts of a job beside its rows, in ``run.json``."""
        self.manifest.setdefault("facts", {})[job_id] = facts
        self._save_manifest()

    def keep_examples(self, job_id: str, examples: pa.Table) -> None:
        """Store adversarial images of a job; the first few that it broke stay when it is complete.

        Args:
            job_id: The job, not complete.
            examples: Columns as in :data:`robbench.schema.EXAMPLES`.
        """
        if examples.num_rows:
            self._examples.append(job_id, examples)

    def complete_job(self, job_id: str, record: dict[str, Any]) -> None:
        """Merge a job's parts into one file sorted by sample, and record the job as complete.

        Args:
            job_id: The job, not complete.
            record: What ``run.json`` says about it: seconds, passes and the like.
        """
        if job_id in self.completed_jobs():
            raise ValueError(f"job {job_id} is complete already")
        if self._examples.has_parts(job_id):
            self._examples.merge_parts(job_id)
        self._jobs.merge_parts(job_id)
        self.manifest["jobs"][job_id] = record
        self._save_manifest()
        self._jobs.remove_parts(job_id)
        self._examples.remove_parts(job_id)

    def outcomes(self, job_id: str) -> pa.Table:
        """The rows stored for a job, sorted by ``sample_index``, each sample once.

        Raises:
            UserError: A file of the job is damaged.
        """
        return self._read(job_id, OUTCOMES)

    def finish(self, outcomes: pa.Table, curves: pd.DataFrame) -> None:
        """Write the tables of the whole run and declare it complete.

        Args:
            outcomes: All rows, columns as in :data:`robbench.schema.OUTCOMES`.
            curves: Columns as in :data:`robbench.schema.CURVES`.
        """
        rows, points = conform(outcomes, OUTCOMES), conform(curves, CURVES)
        write_table(self.folder / OUTCOMES_TABLE, rows)
        write_table(self.folder / CURVES_TABLE, points)
        write_csv(self.folder / CURVES_CSV, points.to_pandas())
        self.manifest.update(state="complete", finished=_now())
        self._save_manifest()

    def begin(self) -> None:
        """Write the first ``run.json``."""
        remove_unfinished(self.folder)
        self._save_manifest()

    def recover(self, asked: dict[str, Any]) -> None:
        """Tidy up after a writer that may have been killed, and check what it left.

        Args:
            asked: The manifest of the command that continues the run; ``continued`` notes what differs.

        Raises:
            UserError: A file is damaged.
        """
        remove_unfinished(self.folder)
        if self.state == "complete":
            return
        complete = self.completed_jobs()
        self._jobs.recover(complete)
        self._examples.recover(complete)
        for lost in self.manifest["jobs"].keys() - complete.keys():
            self.manifest.get("facts", {}).pop(lost, None)  # of rows that somebody deleted
        continued = {"at": _now(), "changed": provenance_changes(self.manifest, asked)}
        self.manifest.update(
            state="running", jobs=complete, continued=[*self.manifest.get("continued", []), continued]
        )
        self._save_manifest()

    def _read(self, job_id: str, columns: tuple[Any, ...]) -> pa.Table:
        if job_id in self.completed_jobs():
            return self._jobs.read_merged(job_id, columns)
        return self._jobs.read_parts(job_id, columns)

    def _save_manifest(self) -> None:
        write_json(self.folder / RUN, self.manifest)


@contextmanager
def open_run(folder: Path, manifest: dict[str, Any]) -> Iterator[RunStore]:
    """Begin a run in a new folder, or continue the same run in its folder, as its only writer.

    A run that is complete is only read, so that its folder may be one that nobody can write to.

    Args:
        folder: The run's folder; created where it is missing.
        manifest: ``identity`` (a string that two runs share if and only if they would write the same rows),
            ``spec`` (a flat dict, shown where another run is in the way), and whatever else tells how the
            numbers came about; JSON must have words for all of it.

    Raises:
        UserError: Another run, other files or another writer are in the folder, it cannot be written to, or
            a file of the run is damaged. Nothing has then been created.
    """
    asked = json.loads(json.dumps(manifest, allow_nan=False))
    begun = examine_folder(folder, asked)
    if begun is not None and (finished := RunStore(folder, begun)).state == "complete":
        yield finished
        return
    check_folder(folder)
    make_folder(folder)
    with sole_writer(folder):
        # Once more: before the lock was ours, somebody else may have begun a run here.
        there = examine_folder(folder, asked)
        if there is None:
            own = {"schema_version": SCHEMA_VERSION, "created": _now(), "state": "running", "jobs": {}}
            store = RunStore(folder, {**asked, **own})
            store.begin()
        else:
            store = RunStore(folder, there)
            store.recover(asked)
        yield store


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
