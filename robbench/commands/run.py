"""``robbench run``: attack defenses over a grid of ε."""

from pathlib import Path
from typing import Any

import rich_click as click

from robbench.commands.options import FOLDER, conditions, places, read_sweep, subjects

GOES_ON = True


@click.command(panel="Measure")
@subjects()
@click.option("--attacks", multiple=True, help="Such as pgd100,bpda,pgd40-cw@foolbox; commas or repeated.")
@click.option(
    "--eps-grid",
    is_flag=False,
    flag_value="canonical",
    help="Radii, images in [0, 1]: 0,2/255,4/255 or first:last:points. Bare: the dataset's own grid. "
    "Left out: 0 and the dataset's one standard ε.",
)
@click.option("--norm", help="linf (default) or l2.")
@click.option("--sweep", help="auto (default), survivors, search, search2, search3, independent.")
@click.option("--criterion", help="top1 (default) or top5.")
@conditions
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="A TOML file: defenses, attacks, eps_grid, samples …; what is typed wins.",
)
@click.option("--out", type=FOLDER, help="Folder of this run. Default: one of its own in ./results.")
@places
def command(
    config: Path | None,
    out: Path | None,
    batch_size: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
    **asked: Any,
) -> None:
    """Attack defenses over a grid of ε and keep one row per sample.

    Example: robbench run --defense natural,nsq --attacks pgd100,bpda --eps-grid
    """
    from robbench.console import Terminal
    from robbench.preparation import RunSettings, prepare
    from robbench.provenance import command_line
    from robbench.running import run, run_folder
    from robbench.summaries import announce, next_steps, run_table

    terminal = Terminal(quiet)
    spec = read_sweep(asked, config)
    terminal.say(f"Loading {spec.dataset}, {', '.join(spec.defenses)} …")
    prepared = prepare(spec, RunSettings(data_dir, models_dir, device, batch_size), command_line())
    folder = run_folder(prepared, out)
    for line in announce(prepared, folder):
        terminal.say(line)
    with terminal.run_progress(len(prepared.plan.jobs)) as progress:
        report = run(prepared, folder, progress)
    terminal.show(run_table(prepared, report))
    terminal.say(next_steps(report))
