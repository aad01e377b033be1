"""``robbench compare``: where defenses are stronger or weaker than a baseline."""

import sys
from pathlib import Path
from typing import Any

import rich_click as click

from robbench.commands.options import FOLDER


@click.command(panel="Judge")
@click.argument("results", type=FOLDER, default=Path("results"))
@click.option("--baseline", required=True, help="The defense that the others are compared with.")
@click.option("--candidate", "candidates", multiple=True, help="Default: all others; commas or repeated.")
@click.option("--at", default="", help="Radii of the grid to show. Default: 0, the middle, the largest.")
@click.option("--dataset", help="Only this one. Default: each dataset by itself.")
@click.option("--norm", help="Only linf or l2. Default: each by itself.")
@click.option("--criterion", help="Only top1 or top5. Default: each by itself.")
@click.option(
    "--fail-if-worse",
    type=float,
    metavar="POINTS",
    help="Exit with code 3 if a candidate's accuracy under the worst of all attacks that both met is more "
    "than so many points below the baseline's at a radius shown, and the difference is significant "
    "(corrected p < 0.05).",
)
@click.option("--out", type=FOLDER, help="Folder for the files. Default: `comparison` in RESULTS.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and what --fail-if-worse found.")
def command(candidates: tuple[str, ...], out: Path | None, quiet: bool, **asked: Any) -> None:
    """Say where defenses are stronger or weaker than a baseline, on the same samples.

    Curves of different runs are compared where they were swept alike; the rest is named.

    Example: robbench compare results/ --baseline pgd-at --at 0.1,0.2,0.3 --fail-if-worse 1.0
    """
    from robbench.comparing import ComparisonRequest
    from robbench.comparing import compare as compare_runs
    from robbench.console import Terminal
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    compared = compare_runs(ComparisonRequest(candidates=split_names(candidates), **asked), out)
    for table in compared.tables:
        terminal.show(table)
    for line in [*compared.notes, *(f"Wrote {path}" for path in compared.files)]:
        terminal.say(line)
    if compared.worse:
        for line in compared.worse:
            Terminal().say(line)
        sys.exit(3)
