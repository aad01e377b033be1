"""What an executor needs: somewhere to put rows, and someone to tell."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from robbench.errors import UserError
from robbench.models.records import read_record
from robbench.sweep.plan import Job


@dataclass(frozen=True)
class JobRecord:
    """What a finished job cost.

    Attributes:
        seconds: Wall-clock time of all that was kept, all processes together.
        n_forward: Forward sample-passes, all processes together.
        n_backward: Backward sample-passes, all processes together.
        clean_accuracy: Share of samples correct unperturbed.
        robust_accuracy: Share of samples not broken at the largest ε.
        samples: The number of samples.
        control: What the control of ``auto`` found; empty where there was none.
        compiled: Whether its steps were made by programs of torch.compile.
    """

    seconds: float
    n_forward: int
    n_backward: int
    clean_accuracy: float
    robust_accuracy: float
    samples: int
    control: Mapping[str, Any]
    compiled: bool = False

    @classmethod
    def read(cls, job_id: str, kept: Mapping[str, Any]) -> "JobRecord":
        """A record that was kept; what another version of robbench wrote beside is passed over.

        Raises:
            UserError: Something is missing, or of another kind.
        """
        known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
        try:
            return read_record(cls, known)
        except TypeError as error:
            raise UserError(
                f"The run's record of the computation {job_id} is damaged: {error}.",
                f"Delete jobs/{job_id}.parquet in the run's folder and repeat the command: "
                "it is computed anew.",
            ) from error


@runtime_checkable
class OutcomeSink(Protocol):
    """Where outcome rows go as they are found: a run's folder, or memory."""

    def completed_jobs(self) -> dict[str, dict[str, Any]]:
        """The records of finished jobs by id."""
        ...

    def stored_indices(self, job_id: str) -> frozenset[int]:
        """Positions of the samples whose rows are kept already."""
        ...

    def append(self, job_id: str, rows: pa.Table, seconds: float = 0.0) -> None:
        """Keep some rows, and how long they took; after this neither is lost."""
        ...

    def seconds(self, job_id: str) -> float:
        """How long the rows kept of a job that runs took."""
        ...

    def recall(self, job_id: str) -> dict[str, Any]:
        """What a job remembered beside its rows; empty at first."""
        ...

    def remember(self, job_id: str, facts: dict[str, Any]) -> None:
        """Keep a few facts of a job beside its rows."""
        ...

    def keep_examples(self, job_id: str, examples: pa.Table) -> None:
        """Keep some adversarial images of a job, columns as in :data:`robbench.schema.EXAMPLES`."""
        ...

    def complete_job(self, job_id: str, record: dict[str, Any]) -> None:
        """Mark a job as finished."""
        ...

    def outcomes(self, job_id: str) -> pa.Table:
        """The rows of a job, sorted by sample_index."""
        ...


@runtime_checkable
class RunObserver(Protocol):
    """Someone who watches a run."""

    def job_started(self, job: Job, done: int, samples: int) -> None:
        """A job begins, with ``done`` of its ``samples`` already decided earlier."""
        ...

    def job_progressed(self, job: Job, done: int, passes: int) -> None:
        """``done`` samples are decided, after ``passes`` forward and backward passes in this process."""
        ...

    def job_finished(self, job: Job, record: JobRecord) -> None:
        """A job is finished, now or in an earlier process."""
        ...


class SilentObserver:
    """An observer that says nothing."""

    def job_started(self, job: Job, done: int, samples: int) -> None:
        """Says nothing."""

    def job_progressed(self, job: Job, done: int, passes: int) -> None:
        """Says nothing."""

    def job_finished(self, job: Job, record: JobRecord) -> None:
        """Says nothing."""
