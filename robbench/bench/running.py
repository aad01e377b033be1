"""Running a benchmark into a folder: everything is checked first, and files follow each defense."""

from pathlib import Path
from typing import NamedTuple

from robbench.bench.comparison import DefenseBench, Say, compare_engines, comparison_table
from robbench.bench.report import comparison_text, notes, scaling_text, write_comparison, write_scaling
from robbench.bench.request import BenchRequest, PreparedBench, prepare_bench
from robbench.bench.scaling import measure_scaling
from robbench.errors import UserError
from robbench.files import check_folder, make_folder
from robbench.preparation import RunSettings
from robbench.text_table import TextTable


class BenchReport(NamedTuple):
    """What a benchmark left."""

    table: TextTable
    notes: list[str]
    files: list[Path]


class BenchPlace(NamedTuple):
    """Where a benchmark runs and writes."""

    settings: RunSettings
    out: Path | None
    """None: ``results/bench/<dataset>``."""
    command: str
    """The command that asked for it, for the record."""


def run_bench(request: BenchRequest, place: BenchPlace, scaling: bool, say: Say) -> BenchReport:
    """Measure what is asked, and write it.

    Args:
        request: What is measured.
        place: Where.
        scaling: Measure how robbench's cost grows with the sweep, instead of comparing engines.
        say: Told of every sweep.

    Raises:
        UserError: Anything about the request, the data, the models or the folder that cannot be; nothing has
            then been measured or written.
    """
    if scaling and len(request.sweeps) > 1:
        raise UserError(
            f"--scaling measures one strategy, not {len(request.sweeps)}.", "Give one: --sweep auto."
        )
    bench = prepare_bench(request, place.settings, place.command)
    folder = place.out if place.out is not None else Path("results", "bench", bench.info.name)
    check_folder(folder)
    for library in request.missing:
        say(f"{library} is not installed and left out.")
    if scaling:
        sizes = measure_scaling(bench, say)
        make_folder(folder)
        return BenchReport(scaling_text(sizes, bench), [], write_scaling(folder, sizes, bench))
    return _compare(bench, folder, say)


def _compare(bench: PreparedBench, folder: Path, say: Say) -> BenchReport:
    """Compare the engines on each defense; what was found so far is written before the next one."""
    results: list[DefenseBench] = []
    files: list[Path] = []
    for defense in bench.workplace.defenses:
        results.append(compare_engines(bench, defense, say))
        make_folder(folder)
        files = write_comparison(folder, comparison_table(results, bench), results, bench)
    table = comparison_table(results, bench)
    return BenchReport(comparison_text(table, bench), notes(table, bench), files)
