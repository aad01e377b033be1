"""Reading runs: finding them, and loading their tables."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from robbench.errors import UserError
from robbench.files import check_name
from robbench.schema import CURVES, OUTCOMES, Column, arrow_schema
from robbench.store.layout import CURVES_TABLE, OUTCOMES_TABLE, RUN, is_complete, read_manifest
from robbench.store.tables import read_checked

_COMPUTE_AGAIN = "Delete that file and repeat the command that began the run: it is written anew."


class RunCurves(NamedTuple):
    """The curves of several runs."""

    curves: pd.DataFrame
    """The columns of :data:`robbench.schema.CURVES`; ``run``: the folder of the run; ``title``: what the run
    calls the defense in print, its name where it does not say; ``weights``: their SHA-256;
    ``fingerprint``: of the samples; both empty where they are not known; ``unguided``: whether the run found
    that the attack has no gradient to follow. Oldest run first."""
    unfinished: list[Path]
    """Runs that are not complete, which have no curves yet."""

    @property
    def notes(self) -> list[str]:
        """What a reader should know, in sentences."""
        return [
            f"{run} is not complete and left out; repeat its command to go on." for run in self.unfinished
        ]


def find_runs(*paths: Path) -> list[Path]:
    """The folders of runs, oldest first and each once.

    Args:
        *paths: Folders; each is a run itself, or holds runs directly in it.

    Raises:
        UserError: A path holds none, a folder or a run's ``run.json`` cannot be read, or a name is no UTF-8.
    """
    runs = {run.resolve(): run for path in paths for run in _runs_at(path)}
    for run in runs.values():
        check_name(run)
    return sorted(runs.values(), key=lambda run: (read_manifest(run)["created"], run.name))


def read_curves(runs: list[Path]) -> RunCurves:
    """The curves of the complete runs among ``runs``.

    Args:
        runs: Folders of runs, as from :func:`find_runs`.

    Raises:
        UserError: A file is missing, damaged or none of robbench's; the message names it.
    """
    tables = [
        arrow_schema(CURVES)
        .empty_table()
        .to_pandas()
        .assign(run="", title="", weights="", fingerprint="", unguided=False)
    ]
    unfinished = []
    for run in runs:
        manifest = read_manifest(run)
        if is_complete(run, manifest):
            curves = _read(run / CURVES_TABLE, CURVES)
            names = [str(name) for name in curves["defense"]]
            said = {
                "title": [_recorded(manifest, "defenses", name, "title") or name for name in names],
                "weights": [_recorded(manifest, "defenses", name, "weights_sha256") for name in names],
                "fingerprint": _recorded(manifest, "dataset", "fingerprint"),
                "unguided": [
                    attack in _unguided(manifest, name)
                    for name, attack in zip(names, curves["attack"], strict=True)
                ],
            }
            tables.append(curves.assign(run=str(run), **said))
        else:
            unfinished.append(run)
    filled = [table for table in tables if len(table)] or tables[:1]
    return RunCurves(pd.concat(filled, ignore_index=True), unfinished)


def read_some_curves(runs: list[Path], purpose: str) -> RunCurves:
    """As :func:`read_curves`, for who can do nothing without a curve.

    Args:
        runs: Folders of runs, as from :func:`find_runs`.
        purpose: What they are wanted for, for the message: ``draw``.

    Raises:
        UserError: None of the runs is complete, or as :func:`read_curves`.
    """
    read = read_curves(runs)
    if not len(read.curves):
        names = ", ".join(map(str, runs))
        state = f"{names} is not complete" if len(runs) == 1 else f"none of these runs is complete: {names}"
        raise UserError(
            f"There is nothing to {purpose} yet: {state}.",
            "Repeat the command that began the run: it goes on.",
        )
    return read


def read_outcomes(run: Path) -> pd.DataFrame:
    """The outcomes of a complete run, columns as in :data:`robbench.schema.OUTCOMES`.

    Raises:
        UserError: The run is not complete, or its table is damaged.
    """
    if not is_complete(run, read_manifest(run)):
        raise UserError(f"The run {run} is not complete.", "Repeat the command that began it: it goes on.")
    return _read(run / OUTCOMES_TABLE, OUTCOMES)


def _runs_at(path: Path) -> list[Path]:
    try:
        if (path / RUN).is_file():
            return [path]
        if not path.is_dir():
            raise UserError(
                f"{path} is no folder." if path.exists() else f"There is no folder {path}.",
                "Give the folder of a run, or the folder that holds the runs, such as results/.",
            )
        runs = [folder for folder in path.iterdir() if (folder / RUN).is_file()]
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be read: {error.strerror}.",
            "Check its permissions, or name other runs.",
        ) from error
    if not runs:
        raise UserError(
            f"{path} holds no runs: neither it nor a folder directly in it has a {RUN}.",
            "`robbench run` makes one.",
        )
    return runs


def _unguided(manifest: dict[str, Any], defense: str) -> list[Any]:
    """The attacks that a run found to have no gradient of a defense; an older robbench did not look."""
    attacks = _entry(manifest, "defenses", defense, "unguided")
    return attacks if isinstance(attacks, list) else []


def _recorded(manifest: dict[str, Any], *path: str) -> str:
    """What a run says at a place of its record, such as a defense's title; empty where it does not."""
    entry = _entry(manifest, *path)
    return entry if isinstance(entry, str) else ""


def _entry(manifest: dict[str, Any], *path: str) -> Any:
    entry: Any = manifest
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def _read(path: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    return read_checked(path, columns, _COMPUTE_AGAIN).to_pandas()
