"""``robbench plot``: draw figures from the rows of runs."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import FOLDER, quiet


@click.command(panel="Look")
@click.argument("results", type=FOLDER, default=Path("results"))
@click.option("--figure", default="curves", show_default=True, help="`robbench list figures` shows all.")
@click.option("--format", "formats", multiple=True, help="png (default), svg or pdf; commas or repeated.")
@click.option("--out", type=FOLDER, help="Folder for the figures. Default: `figures` in RESULTS.")
@quiet
def command(results: Path, figure: str, formats: tuple[str, ...], out: Path | None, quiet: bool) -> None:
    """Draw the curves of one run, or of all runs in a folder.

    Example: robbench plot results/ --format png,pdf
    """
    from robbench.console import Terminal
    from robbench.figures import plot as plot_runs
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    drawn = plot_runs(results, out=out, formats=split_names(formats) or ("png",), figure=figure)
    for note in drawn.notes:
        terminal.say(note)
    for path in drawn.files:
        terminal.say(f"Wrote {path}")
