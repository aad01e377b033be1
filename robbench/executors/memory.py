"""A sink that keeps rows in memory, for notebooks and tests."""

from typing import Any

import pyarrow as pa

from robbench.schema import OUTCOMES, arrow_schema


class MemorySink:
    """Keeps the rows of every job until the process ends."""

    def __init__(self) -> None:
        self._rows: dict[str, list[pa.Table]] = {}
        self._seconds: dict[str, float] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._facts: dict[str, dict[str, Any]] = {}

    def completed_jobs(self) -> dict[str, dict[str, Any]]:
        """The records of finished jobs by id."""
        return dict(self._records)

    def stored_indices(self, job_id: str) -> frozenset[int]:
        """Positions of the samples whose rows are kept already."""
        return frozenset(self.outcomes(job_id)["sample_index"].to_pylist())

    def append(self, job_id: str, rows: pa.Table, seconds: float = 0.0) -> None:
        """Keep some rows, and how long they took."""
        self._rows.setdefault(job_id, []).append(rows)
        self._seconds[job_id] = self.seconds(job_id) + seconds

    def seconds(self, job_id: str) -> float:
        """How long the rows of a job took."""
        return self._seconds.get(job_id, 0.0)

    def recall(self, job_id: str) -> dict[str, Any]:
        """What a job remembered beside its rows; empty at first."""
        return self._facts.get(job_id, {})

    def remember(self, job_id: str, facts: dict[str, Any]) -> None:
        """Keep a few facts of a job beside its rows."""
        self._facts[job_id] = facts

    def keep_examples(self, job_id: str, examples: pa.Table) -> None:
        """Keep nothing: nobody looks at them."""

    def complete_job(self, job_id: str, record: dict[str, Any]) -> None:
        """Mark a job as finished."""
        self._records[job_id] = record

    def outcomes(self, job_id: str) -> pa.Table:
        """The rows of a job, sorted by sample_index."""
        tables = self._rows.get(job_id) or [arrow_schema(OUTCOMES).empty_table()]
        return pa.concat_tables(tables).sort_by("sample_index")
