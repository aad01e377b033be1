"""``robbench report``: everything that runs found, as one HTML file."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import FOLDER, quiet


@click.command(panel="Look")
@click.argument("results", type=FOLDER, default=Path("results"))
@click.option("--baseline", help="What the others are compared with. Default: pgd-at, else natural.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file. Default: `report.html` in RESULTS.",
)
@quiet
def command(results: Path, baseline: str | None, out: Path | None, quiet: bool) -> None:
    """Write one HTML file with the curves, tables, verdicts and examples of one run, or of all in a folder.

    It loads nothing: open it from a disk or send it by mail. Needs the extra `report`.

    Example: robbench report results/ --baseline natural --out nsq.html
    """
    from robbench.console import Terminal
    from robbench.reporting import ReportRequest
    from robbench.reporting import report as report_runs

    terminal = Terminal(quiet)
    reported = report_runs(ReportRequest(results, baseline), out)
    for note in reported.notes:
        terminal.say(note)
    terminal.say(f"Wrote {reported.file}")
