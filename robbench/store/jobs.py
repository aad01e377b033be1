"""Rows of a run's jobs on disk: parts while a job runs, one file once it is merged."""

import shutil
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from robbench.files import make_folder, read_metadata, remove_unfinished, write_table
from robbench.schema import OUTCOMES, Column
from robbench.store.layout import is_job_id
from robbench.store.tables import conform, merge, read_checked

_SECONDS = b"robbench.seconds"
ADVICE = "Delete that file and run the same command again: it is computed anew."


class JobFiles:
    """``<id>.parquet`` holds a merged job, ``<id>/part-*.parquet`` the parts of one that runs.

    Args:
        folder: Where they are; created when the first part comes.
        columns: What the rows have.
        most: How many rows are merged, the first ones; None: all.
        advice: What to do about a damaged file.
    """

    def __init__(
        self,
        folder: Path,
        columns: tuple[Column, ...] = OUTCOMES,
        most: int | None = None,
        advice: str = ADVICE,
    ) -> None:
        self._folder, self._columns, self._most, self._advice = folder, columns, most, advice

    def is_merged(self, job_id: str) -> bool:
        """Whether a job's one file is there."""
        return self._file(job_id).is_file()

    def has_parts(self, job_id: str) -> bool:
        """Whether a job that runs has any rows."""
        return any(self._parts(job_id).glob("part-*.parquet"))

    def append(self, job_id: str, rows: pa.Table, seconds: float = 0.0) -> None:
        """Write rows as a new part, which says how long they took."""
        parts = self._parts(job_id)
        make_folder(parts)
        taken = [int(path.stem.removeprefix("part-")) for path in parts.glob("part-*.parquet")]
        part = conform(rows, self._columns)
        said = {**part.schema.metadata, _SECONDS: repr(seconds)}
        path = parts / f"part-{max(taken, default=-1) + 1:06d}.parquet"
        write_table(path, part.replace_schema_metadata(said))

    def seconds(self, job_id: str) -> float:
        """How long the rows of all parts took; of a part that does not say, nothing is known or counted."""
        said = [read_metadata(path) for path in self._parts(job_id).glob("part-*.parquet")]
        return sum(float(part.get(_SECONDS, 0)) for part in said)

    def merge_parts(self, job_id: str) -> None:
        """Write the job's one file; the parts stay."""
        rows = self.read_parts(job_id)
        make_folder(self._folder)
        write_table(self._file(job_id), rows.slice(0, self._most))

    def remove_parts(self, job_id: str) -> None:
        """Remove what the job's one file has replaced."""
        shutil.rmtree(self._parts(job_id), ignore_errors=True)

    def read_parts(self, job_id: str, columns: tuple[Column, ...] | None = None) -> pa.Table:
        """The rows of all parts, sorted by ``sample_index``, each sample once."""
        wanted = columns or self._columns
        paths = sorted(self._parts(job_id).glob("part-*.parquet"))
        return merge([self._read(path, wanted) for path in paths], wanted)

    def read_merged(self, job_id: str, columns: tuple[Column, ...] | None = None) -> pa.Table:
        """The rows of a job's one file."""
        return self._read(self._file(job_id), columns or self._columns)

    def recover(self, complete: Collection[str]) -> None:
        """Remove what a killed writer left over, and read every file once, so that damage is known now.

        Args:
            complete: The jobs whose one file counts; for the others the parts do.

        Raises:
            UserError: A file is damaged.
        """
        for folder in (self._folder, *self._folder.glob("*/")):
            remove_unfinished(folder)
        for job_id in complete:
            self.remove_parts(job_id)
        for path in sorted(self._folder.rglob("*.parquet")):
            self._read(path, self._columns)

    def _file(self, job_id: str) -> Path:
        return self._parts(job_id).with_suffix(".parquet")

    def _parts(self, job_id: str) -> Path:
        if not is_job_id(job_id):
            raise ValueError(f"{job_id!r} is no job id: 4 to 64 lower-case hex digits")
        return self._folder / job_id

    def _read(self, path: Path, columns: tuple[Column, ...]) -> pa.Table:
        return read_checked(path, columns, self._advice)
