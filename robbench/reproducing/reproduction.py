"""Reproducing targets: run what is missing, then data, figures and page from what is on the shelf."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from robbench.errors import UserError
from robbench.figures.rendering import FORMATS, check_formats, render
from robbench.files import make_folder
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.page import PAGE, write_page
from robbench.reproducing.registration import ALL, all_targets, choose_targets
from robbench.reproducing.shelf import Shelf
from robbench.text_table import TextTable

DEFAULT_FOLDER = Path("results", "paper")


@dataclass(frozen=True)
class ReproduceRequest:
    """What is to be reproduced.

    Attributes:
        names: Targets, or ``all``.
        folder: Where everything lies.
        samples: How many samples, from the first; None: all.
        train: Train the models that are missing.
        partial: Go on without what is missing, as ``all`` always does.
        formats: Of the figures.
    """

    names: tuple[str, ...]
    folder: Path = DEFAULT_FOLDER
    samples: int | None = None
    train: bool = False
    partial: bool = False
    formats: tuple[str, ...] = ("png",)

    def command(self) -> str:
        """What a user types for the same, without places, which differ from machine to machine."""
        parts = ["robbench reproduce", *self.names]
        parts += [f"--samples {self.samples}"] if self.samples is not None else []
        return " ".join(parts)


Runner = Callable[[Sequence[Target], Shelf], None]
"""Makes the missing runs of targets on a shelf."""


class Reproduced(NamedTuple):
    """What a reproduction left."""

    files: list[Path]
    tables: list[TextTable]
    notes: list[str]
    """What a reader must know: parts that are missing, few samples, other trainings."""


def reproduce(request: ReproduceRequest, run: Runner | None = None) -> Reproduced:
    """Make the figures and tables that are asked for, and the page of all.

    Args:
        request: What is asked.
        run: Makes the missing runs of some targets on a shelf; None: nothing is run.

    Raises:
        UserError: An unknown target or format; a model, data or place that is missing; nothing on the shelf.
    """
    chosen = choose_targets(request.names)
    check_formats(request.formats)
    shelf = Shelf(request.folder)
    if run is not None:
        run(chosen, shelf)
        for target in chosen:
            target.compute(shelf)
    if not shelf.folder.is_dir():
        raise UserError(
            f"There is no folder {shelf.folder} to draw from.",
            "Leave --from-results out to run what is missing.",
        )
    files, tables, notes = [], [], []
    for target in chosen:
        collected = target.collect(shelf)
        if collected is not None:
            files += _write(target, collected, shelf, request.formats)
            tables += [table for table in [target.table(collected)] if table is not None]
            tables += target.more_tables(collected)
            notes += collected.notes
        else:
            notes.append(f"{target.title}: not computed yet; robbench reproduce {target.name}")
    files += _refresh_others(chosen, shelf)
    write_page(shelf, all_targets())
    return Reproduced([*files, shelf.folder / PAGE], tables, list(dict.fromkeys(notes)))


def target_table(folder: Path = DEFAULT_FOLDER) -> TextTable:
    """All targets and what of them is on the shelf."""
    shelf = Shelf(folder)
    rows = [(target.name, target.title, target.caption, _state(target, shelf)) for target in all_targets()]
    rows.append((ALL, "all of them", "what lacks a model or data is left out, and said so", ""))
    return TextTable("Targets", ("name", "in the paper", "what it shows", "runs there"), rows)


def _state(target: Target, shelf: Shelf) -> str:
    if not target.runs:
        return "computed" if shelf.data_path(target.name).is_file() else "nothing"
    there = sum(shelf.stored(run) is not None for run in target.runs)
    return f"{there} of {len(target.runs)}"


def _refresh_others(chosen: Sequence[Target], shelf: Shelf) -> list[Path]:
    """Write anew what shares runs with the chosen targets: the page would contradict older files."""
    runs = {run for target in chosen for run in target.runs}
    files = []
    for target in all_targets():
        is_there = shelf.data_path(target.name).is_file()
        if target not in chosen and is_there and runs.intersection(target.runs):
            collected = target.collect(shelf)
            files += _write(target, collected, shelf, ()) if collected is not None else []
    return files


def _write(target: Target, collected: Collected, shelf: Shelf, formats: Sequence[str]) -> list[Path]:
    """Write data and figures, also in formats that are there already, which would else be out of date."""
    make_folder(shelf.folder)
    shelf.write_data(target.name, collected.data)
    files = [shelf.data_path(target.name)]
    for name, data in (collected.more or {}).items():
        shelf.write_data(f"{target.name}-{name}", data)
        files.append(shelf.data_path(f"{target.name}-{name}"))
    figures = {target.name: target.draw(collected)}
    figures |= {f"{target.name}-{name}": target.draw_more(collected, name) for name in target.more_figures}
    drawn = {stem: figure for stem, figure in figures.items() if figure is not None}
    for stem, figure in drawn.items():
        there = [format for format in FORMATS if (shelf.folder / f"{stem}.{format}").is_file()]
        for format in dict.fromkeys([*formats, *there]):
            files.append(shelf.folder / f"{stem}.{format}")
            render(figure, files[-1], format)
    return files
