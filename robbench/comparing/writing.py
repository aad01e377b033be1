"""Writing a comparison: two CSV tables, a Markdown page and a figure for each dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from robbench.comparing.contract import ComparedDataset
from robbench.comparing.markdown import escape, markdown_table
from robbench.figures.comparison import draw_comparison
from robbench.figures.rendering import render
from robbench.figures.titles import norm_title, printable
from robbench.file_names import file_stem, safe_file_name
from robbench.files import check_places, make_folder, write_bytes, write_csv

METHOD = (
    "Differences are the candidate minus the baseline, on the same samples. Intervals: Newcombe 1998, method "
    "10, paired, 95 %, each by itself. Tests: McNemar's exact test, with Holm's correction over every "
    "candidate, attack and ε of the grid, shown here or not; a difference counts as found below 0.05. Areas "
    "are means of the accuracy over the grid's width. Worst-of counts a sample as broken at ε if any attack "
    "that both met broke it there."
)


class _Places(NamedTuple):
    """The files of one dataset."""

    points: Path
    verdicts: Path
    page: Path
    figure: Path


def write_comparison(datasets: Sequence[ComparedDataset], folder: Path) -> list[Path]:
    """Write the files of a comparison, replacing those of an earlier one.

    Raises:
        UserError: A place cannot be written to; nothing has then been written, unless the disk is full.
    """
    pictures = [
        draw_comparison(
            compared.points, compared.title, compared.baseline, compared.defenses, norm_title(compared.norm)
        )
        for compared in datasets
    ]
    places = [_places(compared, folder) for compared in datasets]
    make_folder(folder)
    check_places(path for files in places for path in files)
    for compared, files, picture in zip(datasets, places, pictures, strict=True):
        constants = {"dataset": compared.dataset, "norm": compared.norm, "criterion": compared.criterion}
        constants["baseline"] = compared.baseline
        write_csv(files.points, with_constants(compared.points, constants))
        write_csv(files.verdicts, with_constants(compared.verdicts, constants))
        write_bytes(files.page, markdown_page(compared, files.figure.name).encode())
        render(picture, files.figure, "png")
    return [path for files in places for path in files]


def _places(compared: ComparedDataset, folder: Path) -> _Places:
    stem = file_stem(compared.dataset, compared.norm)
    if compared.criterion != "top1":
        stem += f"-{safe_file_name(compared.criterion)}"
    names = (
        f"comparison-{stem}.csv",
        f"verdicts-{stem}.csv",
        f"comparison-{stem}.md",
        f"comparison-{stem}.png",
    )
    return _Places(*(folder / name for name in names))


def markdown_page(compared: ComparedDataset, figure: str) -> str:
    """The tables of one dataset, what to know of them, the figure and the method, as Markdown.

    Args:
        compared: The comparison.
        figure: The figure's file name, safe in a link.
    """
    parts = [
        f"# {escape(compared.title)}: against {escape(printable(compared.baseline))}\n",
        *map(markdown_table, compared.tables),
        *(["## Notes\n", *(f"- {escape(note)}" for note in compared.notes), ""] if compared.notes else []),
        f"![Difference over ε]({figure})\n",
        METHOD,
    ]
    return "\n".join(parts) + "\n"


def with_constants(frame: pd.DataFrame, constants: dict[str, str]) -> pd.DataFrame:
    """A table that can be read alone: what all its rows have in common stands first in each."""
    return frame.assign(**constants).reindex(columns=[*constants, *frame.columns])
