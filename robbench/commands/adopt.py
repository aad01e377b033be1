"""``robbench adopt``: weights that others trained become the natural model of a dataset."""

from pathlib import Path

import rich_click as click

from robbench.commands.options import places


@click.command(panel="Train")
@click.option("--dataset", default="imagenet", show_default=True, help="One whose network is Inception-v3.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="A file of torchvision's weights. Default: its cache, else a download.",
)
@click.option(
    "--restart", is_flag=True, help="Replace a model that was trained, or adopted from other weights."
)
@places
def command(
    dataset: str,
    weights: Path | None,
    restart: bool,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """Take torchvision's pretrained Inception-v3 as the natural model of ImageNet.

    Example: robbench adopt --weights inception_v3_google-0cc3c7bd.pth --data-dir imagenet/
    """
    from robbench.console import Terminal
    from robbench.datasets import load_dataset
    from robbench.devices import choose_device
    from robbench.summaries import training_line
    from robbench.training.adopting import Adoption, adopt
    from robbench.wording import counted

    terminal = Terminal(quiet)
    where = choose_device(device)
    info, test = load_dataset(dataset, data_dir, "test")
    place = models_dir if models_dir is not None else Path("models")
    terminal.say(f"Measuring the clean accuracy on {counted(len(test), 'image')} …")
    typed = f"robbench adopt --dataset {dataset}"
    card = adopt(Adoption(info, test, weights, place, where, typed, restart))
    terminal.say(training_line(card, place))
