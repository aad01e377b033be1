"""Writing an agreement: CSV tables, one JSON document, a Markdown page and a figure."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from robbench.agreeing.conformance import Conformance
from robbench.agreeing.contract import Agreement
from robbench.agreeing.summary import summarize
from robbench.comparing.markdown import escape, markdown_table
from robbench.comparing.writing import with_constants
from robbench.figures.agreement import draw_agreement
from robbench.figures.rendering import render
from robbench.figures.titles import norm_title
from robbench.file_names import file_stem
from robbench.files import make_folder, write_bytes, write_csv, write_json
from robbench.text_table import TextTable

METHOD = (
    "Every backend runs the same attack on the same samples with the same parameters, every ε anew, in "
    "float32, judged by robbench at the last iterate. A cell is a sample that is correct unperturbed, at an "
    "ε above 0. Intervals: Newcombe 1998, method 10, paired, 95 %, at the ε of the largest difference. "
    "p (McNemar): the exact test there of whether one backend is the stronger. p (seeds): the exact chance "
    "of differing so much, over all cells, if nothing but random numbers differs, from a second run of every "
    "backend with another seed. Both are corrected by Holm's method over all tests of this page. A "
    "difference counts as chance if no cell differs without the random start (where that can be left out) "
    "and no test is below 0.05; as rounding if cells change when the step is longer by 1e-5, and those that "
    "differ without the random start are not significantly more (exact binomial test, 0.05); else as "
    "unexplained. The last table but one goes from what `robbench run` reports here to each library, one "
    "cause at a time; its parts add up."
)
_FRAMES = ("curves", "points", "pairs", "causes", "ladder")


def write_agreement(
    agreement: Agreement, tables: list[TextTable], folder: Path, manifest: dict[str, Any]
) -> list[Path]:
    """Write the files of an agreement, replacing those of an earlier one.

    Args:
        agreement: What was found.
        tables: What a person reads.
        folder: Where to.
        manifest: Where the numbers come from.

    Raises:
        UserError: The place cannot be written to.
    """
    stem = file_stem(agreement.dataset, agreement.norm)
    picture = draw_agreement(
        agreement.curves, agreement.pairs, agreement.title, agreement.defenses, norm_title(agreement.norm)
    )
    make_folder(folder)
    files = []
    constants = {"dataset": agreement.dataset, "norm": agreement.norm}
    for name in _FRAMES:
        frame: pd.DataFrame = getattr(agreement, name)
        if len(frame):
            files.append(folder / f"{name}-{stem}.csv")
            write_csv(files[-1], with_constants(frame, constants))
    conformance, page, document, figure = (
        folder / name
        for name in (
            "conformance.csv",
            f"agreement-{stem}.md",
            f"agreement-{stem}.json",
            f"agreement-{stem}.png",
        )
    )
    write_csv(conformance, conformance_frame(agreement.conformance))
    write_bytes(page, markdown_page(agreement, tables, figure.name).encode())
    write_json(document, _document(agreement, manifest))
    render(picture, figure, "png")
    return [*files, conformance, page, document, figure]


def conformance_frame(lines: list[Conformance]) -> pd.DataFrame:
    """The conformance list as a table of data."""
    return pd.DataFrame([asdict(line) for line in lines])


def markdown_page(agreement: Agreement, tables: list[TextTable], figure: str) -> str:
    """The sentences, the tables, the figure, the sources and the method, as Markdown.

    Args:
        agreement: What was found.
        tables: What a person reads.
        figure: The figure's file name, safe in a link.
    """
    sources = [
        f"{line.number}. {escape(line.pitfall)} ({line.package}): <{line.source}>"
        for line in agreement.conformance
    ]
    parts = [
        f"# {escape(agreement.title)}: the same attack by every library\n",
        *(f"- {escape(line)}" for line in [*summarize(agreement), *agreement.notes]),
        f"\n![Curves, differences and agreement]({figure})\n",
        *map(markdown_table, tables),
        "## Where the pitfalls were reported\n",
        *sources,
        f"\n## Method\n\n{METHOD}",
    ]
    return "\n".join(parts) + "\n"


def _document(agreement: Agreement, manifest: dict[str, Any]) -> dict[str, Any]:
    kept = ("command", "started", "versions", "git_commit", "device", "platform", "dataset", "defenses")
    return {
        "title": agreement.title,
        "summary": summarize(agreement),
        "notes": agreement.notes,
        "unexplained": agreement.unexplained,
        **{name: _records(getattr(agreement, name)) for name in _FRAMES},
        "conformance": [asdict(line) for line in agreement.conformance],
        "runs": manifest["runs"],
        "provenance": {key: manifest[key] for key in kept},
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table; what is missing becomes null."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
