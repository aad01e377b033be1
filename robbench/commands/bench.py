"""``robbench bench``: the same sweep by the attack libraries and by robbench, timed side by side."""

from pathlib import Path
from typing import Any

import rich_click as click

from robbench.commands.options import FOLDER, conditions, places, read_sweep, subjects


@click.command(panel="Measure")
@subjects()
@click.option("--attack", default="pgd", show_default=True, help="PGD; pgd100 for 100 steps.")
@click.option("--eps-grid", default="canonical", show_default=True, help="Radii, as for run.")
@click.option("--sweep", "sweeps", multiple=True, help="Strategies, auto (default) or others; commas.")
@click.option("--libraries", multiple=True, help="torchattacks, foolbox, art (default: all) or none; commas.")
@click.option(
    "--library-points", type=int, help="Measure the libraries at so many ε and scale. Default: all."
)
@click.option("--repeats", type=int, default=3, show_default=True, help="Sweeps per engine; medians count.")
@click.option("--scaling", is_flag=True, help="Measure instead how the cost grows: grid, samples, steps.")
@conditions
@click.option("--out", type=FOLDER, help="Folder of the tables. Default: results/bench/<dataset>.")
@places
def command(
    sweeps: tuple[str, ...],
    libraries: tuple[str, ...],
    library_points: int | None,
    repeats: int,
    scaling: bool,
    out: Path | None,
    batch_size: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
    attack: str,
    **asked: Any,
) -> None:
    """Measure the same sweep by the attack libraries and by robbench, alternating, in one process.

    Example: robbench bench --defense natural,pgd-at --samples 100 --library-points 3
    """
    from robbench.bench.loops import LOOPS
    from robbench.bench.request import BenchRequest
    from robbench.bench.running import BenchPlace, run_bench
    from robbench.console import Terminal
    from robbench.preparation import RunSettings
    from robbench.provenance import command_line
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    request = BenchRequest(
        read_sweep({"attacks": (attack,), **asked}),
        split_names(sweeps) or ("auto",),
        split_names(libraries) or tuple(LOOPS),
        library_points,
        repeats,
    )
    settings = RunSettings(data_dir, models_dir, device, batch_size)
    report = run_bench(request, BenchPlace(settings, out, command_line()), scaling, terminal.say)
    terminal.show(report.table)
    for line in [*report.notes, *(f"Wrote {path}" for path in report.files)]:
        terminal.say(line)
