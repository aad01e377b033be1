"""The parameters of an attack: what may be typed after its name, and the values that stand there."""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from robbench.attacks.contract import Attack
from robbench.attacks.names import AttackName
from robbench.datasets import DatasetInfo
from robbench.errors import UserError
from robbench.registry import suggest


def attack_options(attack_class: type[Attack]) -> dict[str, Any]:
    """The options an attack takes as ``:key=value``, with their defaults."""
    return {
        field.name: field.default
        for field in fields(attack_class)  # pyright: ignore[reportArgumentType]
        if field.name not in ("steps", "loss")
    }


def takes_steps(attack_class: type[Attack]) -> bool:
    """Whether an attack's name may hold a step count."""
    return "steps" in {field.name for field in fields(attack_class)}  # pyright: ignore[reportArgumentType]


def read_parameters(
    name: AttackName, attack_class: type[Attack], options: Mapping[str, str], info: DatasetInfo
) -> dict[str, Any]:
    """The values of an attack's fields, but for the loss; what is not typed has its default.

    Args:
        name: The name as typed, which may give the step count.
        attack_class: The attack.
        options: What is typed as ``:key=value``, without what is no field of the attack's.
        info: The dataset, which gives the step count where neither the name nor the attack does.

    Raises:
        UserError: An unknown option, or a value that is none.
    """
    defaults = {field.name: field.default for field in fields(attack_class)}  # pyright: ignore[reportArgumentType]
    parameters: dict[str, Any] = {}
    if "steps" in defaults:
        own = defaults["steps"] if defaults["steps"] is not MISSING else None
        parameters["steps"] = name.steps or own or info.attack_steps
    elif name.steps is not None:
        raise UserError(
            f"{attack_class.algorithm} takes no step count, but {name.text!r} gives {name.steps}.",
            f"Write {attack_class.algorithm}.",
        )
    known = attack_options(attack_class)
    hints = get_type_hints(attack_class)
    for key, text in options.items():
        if key not in known:
            raise _unknown_option(name, attack_class, key, text)
        parameters[key] = _read(f"{attack_class.algorithm}:{key}", text, hints[key])
    return parameters


def _unknown_option(name: AttackName, attack_class: type[Attack], key: str, text: str) -> UserError:
    algorithm, known = attack_class.algorithm, attack_options(attack_class)
    if key == "steps" and takes_steps(attack_class):
        backend = f"@{name.backend}" if name.backend else ""
        return UserError("The step count of an attack is no option.", f"Write {algorithm}{text}{backend}.")
    if key in ("eps", "epsilon"):
        return UserError("The radius is no option of an attack.", "Give it with --eps-grid.")
    return suggest(f"option of {algorithm}", key, known or ["(none)"])


def _read(option: str, text: str, kind: Any) -> Any:
    """Read an option's value by the annotation of its field."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is Literal:
        if text in get_args(kind):
            return text
        raise suggest(f"value of {option}", text, get_args(kind))
    try:
        return _READERS[kind](text)
    except (ValueError, ZeroDivisionError, KeyError, OverflowError):
        hint = "The backend stands before the options." if "@" in text else ""
        raise UserError(f"{option}={text} is not {_KINDS[kind]}.", hint) from None


def _positive_int(text: str) -> int:
    if not 1 <= int(text) <= _MOST:
        raise ValueError(text)
    return int(text)


def _positive_float(text: str) -> float:
    numerator, slash, denominator = text.partition("/")
    value = float(numerator) / float(denominator) if slash else float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(text)
    return value


_MOST = 999_999_999
"""The largest number that an option takes, as many digits as a step count has."""
_READERS = {
    int: _positive_int,
    float: _positive_float,
    bool: lambda text: {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text],
}
_KINDS = {int: f"a whole number from 1 to {_MOST:,}", float: "a number above 0", bool: "true or false"}
