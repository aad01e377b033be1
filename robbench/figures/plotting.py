"""From folders of runs to figure files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from robbench.analysis.joining import join_runs
from robbench.errors import UserError
from robbench.figures.registration import figures
from robbench.figures.rendering import check_formats, render
from robbench.file_names import file_stem
from robbench.files import check_places, make_folder, write_csv
from robbench.store import find_runs, read_some_curves

FOLDER = "figures"
JOINED_TABLE = "joined-curves.csv"


class Plotted(NamedTuple):
    """What was drawn."""

    files: list[Path]
    """The files written."""
    notes: list[str]
    """What a reader of the figures should know, in sentences."""


def plot(
    results: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    formats: tuple[str, ...] = ("png",),
    figure: str = "curves",
) -> Plotted:
    """Draw the curves of all complete runs: one figure per dataset and norm.

    Where several runs are joined, the table of what is drawn is written beside the figures.

    Args:
        results: One folder or several; each is a run, or holds runs.
        out: The folder for the files; None: ``figures`` in the one folder, or where all their paths meet.
        formats: ``png``, ``svg``, ``pdf``.
        figure: A registered figure.

    Raises:
        UserError: No complete run, a damaged one, an unknown figure or format, or no place to write. Nothing
            has then been written.
    """
    paths = [Path(path) for path in ([results] if isinstance(results, str | Path) else results)]
    draw = figures.get(figure)
    check_formats(formats)
    read = read_some_curves(find_runs(*paths), "draw")
    joined = join_runs(read.curves)
    drawn, refused = {}, list[UserError]()
    for (dataset, norm), table in joined.curves.groupby(["dataset", "norm"], sort=False):  # pyright: ignore[reportGeneralTypeIssues]
        try:
            drawn[f"{figure}-{file_stem(str(dataset), str(norm))}"] = draw(table)
        except UserError as error:
            refused.append(error)
    if not drawn:
        raise refused[0]
    folder = Path(out or _common_folder(paths) / FOLDER)
    places = {
        folder / f"{stem}.{format}": (picture, format)
        for stem, picture in drawn.items()
        for format in dict.fromkeys(formats)
    }
    tables = [folder / JOINED_TABLE] if len(set(joined.curves["run"])) > 1 else []
    make_folder(folder)
    check_places([*places, *tables])
    for path, (picture, format) in places.items():
        render(picture, path, format)
    for path in tables:
        write_csv(path, joined.curves)
    return Plotted(
        [*places, *tables],
        [*read.notes, *joined.notes, *(f"Not drawn: {error.message} {error.hint}" for error in refused)],
    )


def _common_folder(paths: Sequence[Path]) -> Path:
    if len(paths) == 1:
        return paths[0]
    return Path(os.path.commonpath([path.absolute() for path in paths]))
