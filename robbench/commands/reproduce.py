"""``robbench reproduce``: the figures and tables of the soft-quantization paper, regenerated."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import FOLDER, places
from robbench.errors import UserError

GOES_ON = True


@click.command(panel="Measure")
@click.argument("targets", nargs=-1)
@click.option("--samples", type=int, help="The first so many of each test split. Default: all.")
@click.option("--from-results", is_flag=True, help="Run nothing: figures and page from what is there.")
@click.option("--train", is_flag=True, help="Train models that are missing, which can take hours.")
@click.option("--partial", is_flag=True, help="Go on without what is missing, and say so, as `all` does.")
@click.option("--format", "formats", multiple=True, help="png (default), svg or pdf; commas or repeated.")
@click.option("--out", type=FOLDER, help="Folder of runs, data and figures. Default: results/paper.")
@places
def command(
    targets: tuple[str, ...],
    samples: int | None,
    from_results: bool,
    train: bool,
    partial: bool,
    formats: tuple[str, ...],
    out: Path | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """Regenerate figures and tables of the soft-quantization paper; without a target, list them.

    What was run before is reused; a killed reproduction goes on.

    Example: robbench reproduce fig2 digits
    """
    from robbench.console import Terminal
    from robbench.reproducing import ReproduceRequest, reproduce
    from robbench.reproducing.reproduction import DEFAULT_FOLDER, target_table
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    folder = out if out is not None else DEFAULT_FOLDER
    names = split_names(targets)
    if not names:
        terminal.show(target_table(folder))
        return
    kinds = split_names(formats) or ("png",)
    if from_results and (samples is not None or train):
        raise UserError(
            f"--from-results runs nothing, so there is no {'--train' if train else '--samples'}.",
            "Leave out one or the other.",
        )
    request = ReproduceRequest(names, folder, samples, train, partial, kinds)
    runner = None
    if not from_results:
        from robbench.preparation import RunSettings
        from robbench.reproducing.missing import make_runner

        runner = make_runner(request, RunSettings(data_dir, models_dir, device), terminal)
    done = reproduce(request, runner)
    for table in done.tables:
        terminal.show(table)
    for line in [*done.notes, *(f"Wrote {path}" for path in done.files)]:
        terminal.say(line)
