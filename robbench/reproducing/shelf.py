"""The shelf: the folder that holds the runs, the data and the figures of the paper, read without torch."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from robbench.errors import UserError
from robbench.files import make_folder, write_csv
from robbench.reproducing.sweeps import PaperRun
from robbench.store.layout import JOBS, RUN, is_complete, read_manifest
from robbench.store.reading import read_curves, read_outcomes

RUNS = "runs"
TRAININGS = "trainings.csv"
_TRAINING_TEXTS = (
    "dataset",
    "defense",
    "title",
    "folder",
    "device",
    "precision",
    "date",
    "source",
    "sha256",
    "command",
    "deviations",
    "altered",
    "memory_measure",
    "overfitting",
)
"""Columns that are text, whatever they look like."""
_TRAININGS_LOST = (
    "Restore that file, or delete it: `robbench reproduce` then writes what the models that it finds say."
)
_NOT_RECORDED = {
    "title": "",
    "deviations": "",
    "altered": "",
    "held_out": 0,
    "peak_memory": 0,
    "memory_measure": "",
    "overfitting": "",
}
"""What stands in columns that came later, in a table written before."""


@dataclass(frozen=True)
class StoredRun:
    """A complete run on the shelf.

    Attributes:
        run: What it is a run of.
        folder: Where it lies.
        manifest: Its ``run.json``.
    """

    run: PaperRun
    folder: Path
    manifest: dict[str, Any]

    @property
    def samples(self) -> int | None:
        """How many samples were asked for; None: all."""
        return self.manifest["spec"]["samples"]

    @property
    def weights(self) -> str:
        """The SHA-256 of the attacked model's file."""
        return self.manifest["defenses"][self.run.training.defense]["weights_sha256"]

    @property
    def lost_jobs(self) -> list[str]:
        """Jobs whose rows are no longer there: who deletes a file has it computed again."""
        return [job for job in self.manifest["jobs"] if not (self.folder / JOBS / f"{job}.parquet").is_file()]

    def curves(self) -> pd.DataFrame:
        """Its curves, worst-of included; columns as in :data:`robbench.schema.CURVES`."""
        return read_curves([self.folder]).curves.drop(columns="run")

    def outcomes(self) -> pd.DataFrame:
        """Its rows, one per attack and sample; columns as in :data:`robbench.schema.OUTCOMES`."""
        return read_outcomes(self.folder)


@dataclass(frozen=True)
class Shelf:
    """The folder of everything that was reproduced.

    Attributes:
        folder: ``results/paper``.
    """

    folder: Path

    def run_folder(self, run: PaperRun, identity: str) -> Path:
        """Where a run is kept: what it is, and a hash of what exactly was asked."""
        return self.folder / RUNS / f"{run.slot}-{identity[:8]}"

    def stored(self, run: PaperRun) -> StoredRun | None:
        """The newest complete run of a slot; older ones have other weights or fewer samples."""
        pattern = re.compile(rf"{re.escape(run.slot)}-[0-9a-f]{{8}}")
        places = (self.folder / RUNS).glob(f"{run.slot}-*")
        folders = [path for path in places if pattern.fullmatch(path.name) and (path / RUN).is_file()]
        found = [StoredRun(run, folder, read_manifest(folder)) for folder in folders]
        complete = [stored for stored in found if is_complete(stored.folder, stored.manifest)]
        return max(complete, key=lambda stored: stored.manifest["created"], default=None)

    def data_path(self, target: str) -> Path:
        """The CSV file of a target."""
        return self.folder / f"{target}.csv"

    def read_data(self, target: str) -> pd.DataFrame | None:
        """The data of a target that no run gives; None where they were not computed.

        Raises:
            UserError: They are damaged.
        """
        path = self.data_path(target)
        with readable(path, written_anew_by(target)):
            return _read(path) if path.is_file() else None

    def write_data(self, target: str, data: pd.DataFrame) -> None:
        """Write the data of a target."""
        make_folder(self.folder)
        write_csv(self.data_path(target), data)

    def trainings(self) -> pd.DataFrame:
        """What is known of the models; columns as in :data:`robbench.reproducing.trainings.COLUMNS`.

        Raises:
            UserError: The table is damaged.
        """
        path = self.folder / TRAININGS
        if not path.is_file():
            return pd.DataFrame({"sha256": [], "deviations": []})
        with readable(path, _TRAININGS_LOST):
            table = _read(path, _TRAINING_TEXTS)
            # As an older robbench wrote it, of what is one machine.
            table["device"] = table["device"].str.replace(", 1 threads", ", 1 thread")
        return table.assign(**{name: value for name, value in _NOT_RECORDED.items() if name not in table})

    def training_of(self, stored: StoredRun) -> dict[str, Any] | None:
        """What is known of the model that a run attacked."""
        table = self.trainings()
        rows = table.loc[table["sha256"] == stored.weights].to_dict("records")
        return {str(key): value for key, value in rows[0].items()} if rows else None


@contextmanager
def readable(path: Path, hint: str) -> Iterator[None]:
    """Say of a file on the shelf that it is damaged, if that is what reading it shows.

    Args:
        path: The file.
        hint: What to do then.

    Raises:
        UserError: It could not be read as what it should be.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        what = str(error).partition("\n")[0].rstrip(".")
        raise UserError(f"{path} cannot be read: {what}.", hint) from error


def written_anew_by(target: str) -> str:
    """What to do about damaged data of a target."""
    return f"Delete that file and repeat `robbench reproduce {target}`: it is written anew."


def _read(path: Path, texts: tuple[str, ...] = ()) -> pd.DataFrame:
    """A table whose numbers are, bit for bit, those that were written."""
    types = csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
    return csv.read_csv(path, convert_options=types).to_pandas()
