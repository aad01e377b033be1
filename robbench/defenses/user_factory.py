"""A user's own defense: imports the one file that was named, calls the factory in it."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from robbench.defenses.contract import Defense
from robbench.errors import UserError
from robbench.registry import suggest


def is_factory_name(name: str) -> bool:
    """Whether a defense's name points to a file: ``path/to/file.py:factory``."""
    path, _, _ = split_factory_name(name)
    return path.suffix == ".py"


def factory_title(name: str) -> str:
    """The name under which results show ``path/to/file.py:factory``: ``file.factory``.

    The dot keeps it apart from every registered name. Characters that a file name may not hold become ``_``.
    """
    path, _, factory = split_factory_name(name)
    return re.sub(r"[^\w.-]", "_", f"{path.stem}.{factory}")


def load_factory(name: str) -> tuple[Defense, str]:
    """Import the file, call the factory.

    Args:
        name: ``path/to/file.py:factory``.

    Returns:
        The defense and the file's source text.

    Raises:
        UserError: The name lacks the factory, the file is missing or fails, it has no such factory, or the
            factory raises or returns something else than a module or a defense.
    """
    path, colon, factory = split_factory_name(name)
    if not (colon and factory):
        raise UserError(
            f"{name!r} names a file, but no factory in it.",
            f"Write {name.rstrip(':')}:build, if it is `def build()`.",
        )
    if not path.is_file():
        raise UserError(f"There is no file {path}.", "The path is taken from the current directory.")
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"The file {path} cannot be read: {error}.") from error
    with _importable_siblings(path):
        module = _import_file(path)
        build = getattr(module, factory, None)
        if not callable(build):
            raise suggest(
                f"factory in {path}", factory, _factories(module) or ["(no function is defined there)"]
            )
        return call_factory(build, name), source


def call_factory(build: Callable[[], Any], name: str) -> Defense:
    """The defense that a factory makes; a bare module becomes one without further views.

    Raises:
        UserError: The factory raises, or returns something else.
    """
    try:
        made = build()
    except Exception as error:
        raise UserError(
            f"The factory {name} raised {type(error).__name__}: {error}",
            "robbench calls it without arguments; it returns a torch.nn.Module or a robbench Defense.",
        ) from error
    if isinstance(made, nn.Module):
        return Defense(made)
    if isinstance(made, Defense):
        return made
    raise UserError(
        f"The factory {name} returned {type(made).__name__}, which is no torch.nn.Module and no Defense.",
        "Return the module that maps images in [0, 1] to logits, or Defense(network, layer=...).",
    )


def split_factory_name(name: str) -> tuple[Path, str, str]:
    """The file, the colon if there is one, and the factory's name."""
    path, colon, factory = name.rpartition(":")
    # `C:\mine.py` has a colon too, but what follows it is no name of a function.
    if colon and (factory.isidentifier() or not factory):
        return Path(path), colon, factory
    return Path(name), "", ""


def _import_file(path: Path) -> ModuleType:
    module_name = f"robbench_user_{re.sub(r'[^0-9A-Za-z_]', '_', str(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs: dataclasses and pickling look their module up there.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise UserError(
            f"{path} fails when it is imported: {type(error).__name__}: {error}",
            f"`python {path}` shows where.",
        ) from error
    return module


@contextmanager
def _importable_siblings(path: Path) -> Iterator[None]:
    """Let the file import its neighbours, as it could when run by itself."""
    directory = str(path.resolve().parent)
    # Last, so that no neighbour shadows a library.
    sys.path.append(directory)
    try:
        yield
    finally:
        sys.path.remove(directory)


def _factories(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]
