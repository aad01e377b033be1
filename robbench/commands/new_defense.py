"""``robbench new-defense``: a file to start one's own defense from."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import quiet


@click.command(panel="Your own defense")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["layer", "network"]),
    default="layer",
    show_default=True,
    help="A layer in front of a trained network, or a network that is trained when it is first built.",
)
@quiet
def command(file: Path, kind: str, quiet: bool) -> None:
    """Write a commented defense that works as it stands. A file that exists is never replaced.

    Example: robbench new-defense mine.py
    """
    from robbench.console import Terminal
    from robbench.templates import write_defense

    name = write_defense(file, kind)
    Terminal(quiet).say(f"Wrote {file}. Edit it, then: robbench check {name}")
