"""``robbench train``: train defenses, or go on with a training that was interrupted."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import places


@click.command()
@click.option("--defense", "defenses", multiple=True, help="Names; commas or repeated.")
@click.option("--dataset", default="digits", show_default=True, help="digits, mnist, cifar10 or imagenet.")
@click.option("--network", help="A registered network. Default: the dataset's.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another value than the paper's for an option of the defense or its training: --set noise=16/255 "
    "--set iterations=2000. May be repeated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Fixes weights, batches and noise.")
@click.option("--restart", is_flag=True, help="Train anew, whatever model or checkpoint is there.")
@places
def command(
    defenses: tuple[str, ...],
    dataset: str,
    network: str | None,
    settings: tuple[str, ...],
    seed: int,
    restart: bool,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """Train defenses by the paper's recipes, or go on with a training that was interrupted.

    Example: robbench train --defense nsq --dataset mnist
    """
    from robbench.console import Terminal
    from robbench.datasets import load_dataset
    from robbench.devices import choose_device
    from robbench.spec import split_names
    from robbench.summaries import training_line
    from robbench.training import train as train_defense
    from robbench.training_requests import make_requests

    terminal = Terminal(quiet)
    where = choose_device(device)
    info, train_split = load_dataset(dataset, data_dir, "train")
    _, test_split = load_dataset(dataset, data_dir, "test")
    requests = make_requests(
        split_names(defenses),
        (info, train_split, test_split),
        settings,
        network=network,
        seed=seed,
        device=where,
        models_dir=models_dir or Path("models"),
        restart=restart,
    )
    for request in requests:
        with terminal.training_progress(f"{request.defense} on {dataset}") as progress:
            card = train_defense(request, progress)
        terminal.say(training_line(card, request.models_dir))
