"""``robbench list``: what there is to name."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import FOLDER


@click.command(panel="Look")
@click.argument(
    "what",
    type=click.Choice(["defenses", "attacks", "datasets", "networks", "models", "figures"]),
    metavar="WHAT",
)
@click.option(
    "--models-dir", type=FOLDER, help="Where models are looked for before ./models and the shipped."
)
def command(what: str, models_dir: Path | None) -> None:
    """List what there is: WHAT is defenses, attacks, datasets, networks, models or figures."""
    from robbench.console import Terminal
    from robbench.listings import listing

    Terminal().show(listing(what, models_dir))
