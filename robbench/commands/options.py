"""Options that several commands share, and what they mean together."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from robbench.spec import SweepSpec

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

FOLDER = click.Path(path_type=Path, file_okay=True)


def options(*decorators: Decorator) -> Decorator:
    """Several options as one decorator, shown in the order given."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


quiet = click.option("--quiet", is_flag=True, help="Print nothing but errors.")

places = options(
    click.option("--data-dir", type=FOLDER, help="Where the data are. Default: $ROBBENCH_DATA, then ./data."),
    click.option(
        "--models-dir", type=FOLDER, help="Where models are looked for before ./models and the shipped."
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"),
    quiet,
)


def subjects(samples: str = "all") -> Decorator:
    """What is attacked.

    Args:
        samples: How many where the user does not say, in words.
    """
    return options(
        click.option(
            "--defense", "defenses", multiple=True, help="Names or file.py:factory; commas or repeated."
        ),
        click.option("--dataset", help="digits (default), mnist, cifar10 or imagenet."),
        click.option("--samples", type=int, help=f"The first so many of the test split. Default: {samples}."),
        click.option("--seed", type=int, help="Seeds every random number. Default: 0."),
    )


conditions = options(
    click.option("--precision", help="Of attack steps: auto (default), float32 or bfloat16."),
    click.option("--batch-size", type=int, help="Samples in one pass, for memory and speed."),
    click.option(
        "--draws",
        type=int,
        help="Forward passes of a randomized defense of which the mean is attacked and judged. Default: 10.",
    ),
)
"""How it is attacked, whatever the attack."""


def read_sweep(asked: dict[str, Any], config: Path | None = None) -> "SweepSpec":
    """The specification from a file, if any, and the options that were typed, which win.

    Args:
        asked: Fields of a specification; None and empty tuples were not typed.
        config: A TOML file of the same fields.

    Raises:
        UserError: A value cannot be.
    """
    from robbench.errors import UserError
    from robbench.spec import make_spec, read_spec, split_names

    if asked.get("eps_grid") == "":
        raise UserError(
            "--eps-grid is empty.", "Such as 0,0.1,0.2 or 0:0.3:13; bare, the dataset's own grid."
        )
    typed = {key: value for key, value in asked.items() if value not in (None, ())}
    for key in ("defenses", "attacks"):
        if key in typed:
            typed[key] = split_names(typed[key])
    return read_spec(config, typed) if config else make_spec(typed)
