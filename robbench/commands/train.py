"""``robbench train``: train defenses, or go on with a training that was interrupted."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import places

GOES_ON = True


@click.command(panel="Train")
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
@click.option(
    "--budget",
    metavar="BUDGET",
    help="epochs=15 or seconds=120: how long to train each defense, all else being equal, in passes over the "
    "training images or in seconds on this machine. Default: as the dataset's plan says.",
)
@click.option(
    "--watch/--no-watch",
    default=None,
    help="Hold training images out and watch accuracy on them for catastrophic overfitting. Default: where a "
    "defense trains on single steps.",
)
@click.option("--stop-on-collapse", is_flag=True, help="End a training that collapses; its model is marked.")
@click.option(
    "--seed",
    "seeds",
    default="0",
    show_default=True,
    help="Fixes weights, batches and noise. Of several, as 0,1,2, each has a folder in the models directory.",
)
@click.option(
    "--start",
    help="Begin with the weights of this trained defense: fine-tuning. "
    "Models that this command itself trains are no start.",
)
@click.option(
    "--restart",
    is_flag=True,
    help="Train anew, whatever model or checkpoint is there. Killed and typed again, it goes on.",
)
@places
def command(
    defenses: tuple[str, ...],
    dataset: str,
    network: str | None,
    settings: tuple[str, ...],
    budget: str | None,
    watch: bool | None,
    stop_on_collapse: bool,
    seeds: str,
    start: str | None,
    restart: bool,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """Train defenses by the paper's recipes, or go on with a training that was interrupted.

    Example: robbench train --defense nsq --dataset mnist

    Under equal conditions: robbench train --defense fast-at,trades,pgd-at --budget epochs=15
    """
    from robbench.console import Terminal
    from robbench.datasets import load_dataset
    from robbench.devices import choose_device
    from robbench.spec import split_names
    from robbench.summaries import training_line, training_table
    from robbench.training import parse_budget, restart_together
    from robbench.training import train as train_defense
    from robbench.training_requests import make_requests, parse_seeds

    terminal = Terminal(quiet)
    allowed = None if budget is None else parse_budget(budget)
    numbers = parse_seeds(seeds)
    where = choose_device(device)
    info, train_split = load_dataset(dataset, data_dir, "train")
    _, test_split = load_dataset(dataset, data_dir, "test")
    requests = make_requests(
        split_names(defenses),
        (info, train_split, test_split),
        (*settings, "stop_on_collapse=true") if stop_on_collapse else settings,
        seeds=numbers,
        network=network,
        budget=allowed,
        watch=watch,
        device=where,
        models_dir=models_dir or Path("models"),
        start=start,
        restart=restart,
    )
    if requests[0].start is not None:
        terminal.say(f"The weights to begin with are those of {requests[0].start.weights}.")
    if restart:
        requests = restart_together(requests)
        done = sum(not request.restart for request in requests)
        if done:
            terminal.say(f"Going on where --restart was interrupted: {done} of {len(requests)} are done.")
    cards = []
    for request in requests:
        with terminal.training_progress(f"{request.defense} on {dataset}") as progress:
            cards.append(train_defense(request, progress))
        terminal.say(training_line(cards[-1], request.models_dir))
    if len(cards) > 1:
        terminal.show(training_table(cards))
