"""From folders of runs to a report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from robbench.analysis.joining import join_runs
from robbench.epsilon import natural_unit
from robbench.errors import UserError
from robbench.figures.panel_grid import panel_columns
from robbench.figures.titles import dataset_title, norm_title, printable
from robbench.files import make_folder, write_bytes
from robbench.reporting.audits import audits
from robbench.reporting.charts import charts, legend
from robbench.reporting.curve_tables import at_a_glance, common_epsilon, curve_table
from robbench.reporting.differences import check_baseline, differences
from robbench.reporting.origins import origin
from robbench.reporting.page import Page, Section, check_installed, render_page
from robbench.reporting.strips import strips
from robbench.store import find_runs, read_some_curves
from robbench.store.layout import read_manifest

FILE = "report.html"
_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class ReportRequest:
    """What is reported.

    Attributes:
        results: A run, or a folder that holds runs.
        baseline: The defense that the others are compared with; None: PGD-AT, else natural training.
    """

    results: str | Path
    baseline: str | None = None


class Reported(NamedTuple):
    """A report that was written."""

    file: Path
    notes: list[str]
    """What a reader should know, in sentences; they are in the report too."""


def report(request: ReportRequest, out: str | Path | None = None) -> Reported:
    """Write everything that some runs found as one HTML file that loads nothing else.

    Args:
        request: What is reported.
        out: The file; None: ``report.html`` in ``request.results``.

    Raises:
        UserError: plotly is not installed, no run is complete, a file is damaged, no run has the baseline, or
            no place to write or no name of a page. Nothing has then been written.
    """
    check_installed()
    file = Path(out or Path(request.results) / FILE)
    if file.is_dir():
        raise UserError(f"{file} is a folder.", "Name a file with --out, such as report.html.")
    if file.suffix.lower() not in _SUFFIXES:
        raise UserError(
            f"A report is a page of HTML, and {file} would be called something else.",
            "Name it such as report.html; a browser prints it to PDF.",
        )
    page = gather_page(request)
    html = render_page(page)
    make_folder(file.parent)
    write_bytes(file, html.encode(errors="replace"))
    return Reported(file, page.notes)


def gather_page(request: ReportRequest) -> Page:
    """All that stands in a report.

    Raises:
        UserError: As :func:`report`.
    """
    results = Path(request.results)
    runs = find_runs(results)
    read = read_some_curves(runs, "report")
    joined = join_runs(read.curves)
    check_baseline(request.baseline, joined.curves)
    manifests = {str(run): read_manifest(run) for run in runs if run not in read.unfinished}
    sections = [
        _section(pd.DataFrame(curves), manifests, request)
        for _, curves in joined.curves.groupby(["dataset", "norm", "criterion"], sort=False)
    ]
    origins = [origin(Path(run), manifest) for run, manifest in manifests.items()]
    return Page(sections, audits(results, manifests.values()), origins, [*read.notes, *joined.notes])


def _section(
    curves: pd.DataFrame, manifests: Mapping[str, dict[str, Any]], request: ReportRequest
) -> Section:
    head = curves.iloc[0]
    unit = natural_unit(curves["epsilon"])
    title = f"{dataset_title(head['dataset'])}, {norm_title(head['norm'])}"
    if head["criterion"] != "top1":
        title += f", {printable(head['criterion'])}"
    epsilon, panels = common_epsilon(curves), charts(curves, norm_title(head["norm"]))
    return Section(
        title=title,
        criterion=str(head["criterion"]),
        glance=at_a_glance(curves, epsilon),
        epsilon=unit.format(epsilon),
        legend=legend(curves),
        charts=panels,
        columns=panel_columns(len(panels)),
        table=curve_table(curves, unit),
        differences=differences(Path(request.results), request.baseline, curves),
        strips=strips(curves, manifests, unit),
    )
