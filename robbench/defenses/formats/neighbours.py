"""The modules beside a user's file: importable while it is loaded, and never those of another file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class _Brought(NamedTuple):
    """What the files of one folder have brought into this process."""

    modules: dict[str, ModuleType]
    entries: list[str]
    """What they have put onto ``sys.path`` themselves."""


_brought: dict[Path, _Brought] = {}


@contextmanager
def importable_neighbours(folder: Path) -> Iterator[list[Path]]:
    """Let a file import its neighbours, as it could when run by itself.

    Files of one folder share their neighbours; files of two folders do not, even if these are called the
    same. Modules that were there before any file was loaded are left as they are.

    Afterwards the neighbours stay in ``sys.modules``, where a forward pass that imports one finds it. A name
    that two folders have would be ambiguous there: importing it fails, rather than giving the other's.

    Args:
        folder: Where the file is, resolved.

    Yields:
        The folders in which neighbours are looked for, complete after the block: what the file itself has
        put onto ``sys.path``, and its own.
    """
    own = _brought.get(folder, _Brought({}, []))
    brought = [entry for each in _brought.values() for entry in each.entries]
    libraries = [entry for entry in sys.path if entry not in brought]
    for name in [name for each in _brought.values() for name in each.modules]:
        sys.modules.pop(name, None)
    foreign = frozenset(sys.modules)
    sys.modules.update(own.modules)
    # The folder comes last, so that no neighbour shadows a library.
    sys.path[:] = [*(each for each in sys.path if each in own.entries or each in libraries), str(folder)]
    places: list[Path] = []
    try:
        yield places
    finally:
        sys.path.remove(str(folder))
        entries = [entry for entry in sys.path if entry not in libraries]
        places += [*(Path(entry).resolve() for entry in entries), folder]
        sys.path[:], path = libraries, list(sys.path)
        new = {name: sys.modules[name] for name in sys.modules.keys() - foreign}
        modules = {name: module for name, module in new.items() if _is_neighbour(name, module, places)}
        sys.path[:] = path
        _brought[folder] = _Brought(modules, entries)
        _put_back()


def _is_neighbour(name: str, module: ModuleType, places: list[Path]) -> bool:
    # The spec, not __file__: namespace packages have no file, and some modules of torch a made-up one.
    spec = getattr(module, "__spec__", None)
    found = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    paths = [path for each in found if each for path in (Path(each), Path(each).resolve())]
    return any(path.is_relative_to(place) for path in paths for place in places) and not _is_library(name)


def _is_library(name: str) -> bool:
    """Whether a module is found in any case; it may lie below the folder, as an environment there does."""
    return any(finder.find_spec(name.partition(".")[0], None) for finder in sys.meta_path)


def _put_back() -> None:
    """Put everything that was brought where it was; for an ambiguous name None, whose import fails."""
    agreed: dict[str, ModuleType | None] = {}
    for brought in _brought.values():
        for name, module in brought.modules.items():
            agreed[name] = None if name in agreed else module
        sys.path.extend(entry for entry in brought.entries if entry not in sys.path)
    sys.modules.update(agreed)  # pyright: ignore[reportArgumentType, reportCallIssue]
