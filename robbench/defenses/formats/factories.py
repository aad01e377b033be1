"""Calling a user's factory, with what it asks for by name."""

import functools
import inspect
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import nn

from robbench.defenses.contract import Defense
from robbench.defenses.formats.contract import Wanted
from robbench.defenses.formats.robustbench_copy import copy_hint
from robbench.errors import UserError
from robbench.registry import suggest

_WHAT_IT_RETURNS = (
    "It returns a torch.nn.Module or a robbench Defense; `robbench new-defense` writes an example."
)


def call_factory(build: Callable[..., Any], name: str, wanted: Wanted) -> Defense:
    """The defense that a factory makes; a bare module becomes one without further views.

    Args:
        build: The factory. Of the fields of ``wanted`` it is given those that it has as parameters; a folder
            that the user did not name is None, but for a parameter with a default, which then stays.
        name: What the user typed.
        wanted: What the defense is wanted for.

    Raises:
        UserError: The factory asks for something else, raises, or returns something else.
    """
    arguments = _arguments(build, name, wanted)
    try:
        made = build(**arguments)
    except UserError:  # from robbench.pretrained or a dataset: it says already what to do
        raise
    except SystemExit as error:
        raise UserError(
            f"The factory {name} ended the program (SystemExit: {error}).",
            "It must not read the command line, which is robbench's, nor call sys.exit.",
        ) from error
    except Exception as error:
        raise UserError(
            f"The factory {name} raised {type(error).__name__}: {error}",
            copy_hint(error) or _WHAT_IT_RETURNS,
        ) from error
    if isinstance(made, nn.Module):
        return Defense(made)
    if isinstance(made, Defense):
        return made
    raise UserError(
        f"The factory {name} returned {type(made).__name__}, which is no torch.nn.Module and no Defense.",
        "Return the module that maps images in [0, 1] to logits, or Defense(network, layer=...).",
    )


def find_factory(module: ModuleType, factory: str, where: str) -> Callable[..., Any]:
    """A module's callable by its name.

    Raises:
        UserError: There is none; those that the module defines are suggested.
    """
    build = getattr(module, factory, None)
    if not callable(build):
        raise suggest(
            f"factory in {where}", factory, _factories(module) or ["(no function is defined there)"]
        )
    return build


def defining_module(build: Callable[..., Any]) -> ModuleType | None:
    """The module in which a factory is defined; of a partial one, in which the whole is."""
    while isinstance(build, functools.partial):
        build = build.func
    return sys.modules.get(build.__module__)


def title_of(text: str) -> str:
    """A text with what a file name may not hold replaced by ``_``."""
    return re.sub(r"[^\w.-]", "_", text)


def _arguments(build: Callable[..., Any], name: str, wanted: Wanted) -> dict[str, Any]:
    try:
        parameters = inspect.signature(build).parameters.values()
    except ValueError:  # a callable written in C tells no signature
        return {}
    named = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    offered = wanted._asdict()
    for each in named:
        if each.default is each.empty and (each.name not in offered or each.kind is each.POSITIONAL_ONLY):
            raise UserError(
                f"The factory {name} asks for {each.name!r}, which robbench cannot know.",
                f"It may ask for {', '.join(offered)} by these names; give other parameters a default.",
            )
    return {
        each.name: offered[each.name]
        for each in named
        if each.name in offered and (offered[each.name] is not None or each.default is each.empty)
    }


def _factories(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]
