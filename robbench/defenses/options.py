"""From a defense's name and options to its recipe: the paper's values for the dataset, then the user's."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal, get_args, get_origin, get_type_hints

from robbench.datasets import DatasetInfo
from robbench.defenses.contract import DefenseRecipe
from robbench.defenses.registration import defenses
from robbench.errors import UserError
from robbench.registry import suggest

Options = Mapping[str, int | float | str]
"""A recipe's options by name; text is read, fractions such as ``8/255`` allowed."""


def build_recipe(name: str, info: DatasetInfo, options: Options | None = None) -> DefenseRecipe:
    """The recipe of a registered defense on a dataset.

    Args:
        name: The registered name.
        info: The dataset, which gives the paper's values.
        options: What is to differ from them.

    Raises:
        UserError: No such defense or option, a value of the wrong kind or outside its range, or a defense
            without a recipe.
    """
    recipe_class = defenses.get(name)
    if not (isinstance(recipe_class, type) and issubclass(recipe_class, DefenseRecipe)):
        raise UserError(
            f"The defense {name!r} comes ready-made from a package; there is no recipe to train it.",
            "`robbench list defenses` shows those with a recipe.",
        )
    options = options or {}
    return override(name, recipe_class.for_dataset(_at_radius(name, info, options)), options)


def _at_radius(name: str, info: DatasetInfo, options: Options) -> DatasetInfo:
    """The dataset with its inner attack at the radius that the user asks for, if any.

    What the papers derive from ε, such as step sizes and noise, thus follows it unless it is given as well.
    """
    if "epsilon" not in options:
        return info
    epsilon = read_value(f"{name}:epsilon", options["epsilon"], float)
    inner = info.inner_attack
    step_size = inner.step_size * (epsilon / inner.epsilon if inner.epsilon else 1)
    inner = dataclasses.replace(inner, epsilon=epsilon, step_size=step_size)
    return dataclasses.replace(info, inner_attack=inner)


def override(name: str, recipe: DefenseRecipe, options: Options) -> DefenseRecipe:
    """A copy of a recipe with some options changed; the errors are those of :func:`build_recipe`."""
    known = recipe_options(recipe)
    hints = get_type_hints(type(recipe))
    changes = {}
    for key, value in options.items():
        if key not in known:
            raise suggest(f"option of the defense {name!r}", key, known or ["(none)"])
        changes[key] = read_value(f"{name}:{key}", value, hints[key])
    return dataclasses.replace(recipe, **changes)  # pyright: ignore[reportArgumentType]


def recipe_options(recipe: DefenseRecipe) -> dict[str, Any]:
    """A recipe's options with their values."""
    return dataclasses.asdict(recipe)  # pyright: ignore[reportArgumentType]


def read_value(option: str, value: int | float | str, kind: Any) -> Any:
    """A value from itself or its text, as the annotation of its field says.

    Args:
        option: What is read, for the message.
        value: What the user gave; a number may be a fraction such as ``8/255``.
        kind: ``int``, ``float``, ``bool`` or a ``Literal`` of strings.

    Raises:
        UserError: Not of that kind.
    """
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise suggest(option, str(value), get_args(kind))
        return value
    if kind is bool:
        word = str(value).lower()
        if word not in ("true", "false"):
            raise UserError(f"{option} is true or false, not {value!r}.")
        return word == "true"
    try:
        number = Fraction(value) if not isinstance(value, str) or "/" in value else float(value)
        if kind is int and number != int(number):
            raise ValueError(value)
        return kind(number)
    except (ValueError, ZeroDivisionError, OverflowError):
        noun = "a whole number" if kind is int else "a number"
        raise UserError(f"{option} is {noun}, not {value!r}.") from None
