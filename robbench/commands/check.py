"""``robbench check``: whether a defense is fit to be benchmarked."""

import sys
from pathlib import Path

import rich_click as click

from robbench.commands.options import places


@click.command(panel="Your own defense")
@click.argument("defense")
@click.option("--dataset", default="digits", show_default=True, help="digits, mnist, cifar10 or imagenet.")
@click.option("--samples", type=int, help="The first so many of the test split. Default: 200.")
@places
def command(
    defense: str,
    dataset: str,
    samples: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """Check that a defense can be benchmarked, and say how to mend it: in seconds, nothing is attacked.

    DEFENSE is a registered name, file.py:factory, package.module:factory, a TorchScript file (.pt), an
    exported program (.pt2) or timm:MODEL. Exit code 3 if a check fails; warnings alone are 0.

    Example: robbench check mine.py:build
    """
    from robbench.checking import CheckRequest, check, failure_lines, next_step, report_tables
    from robbench.console import Terminal

    terminal = Terminal(quiet)
    terminal.say(f"Checking {defense} on {dataset} …")
    report = check(CheckRequest(defense, dataset, samples, data_dir, models_dir, device))
    for table in report_tables(report):
        terminal.show(table)
    terminal.say(next_step(report))
    if report.failed:
        if quiet:
            for line in failure_lines(report):
                Terminal().say(line)
        sys.exit(3)
