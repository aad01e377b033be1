"""The text of a defense's code: the file that was named, and what it imports of the same origin.

Imports are read from the text, without running it, so that a defense has the same text whatever else was
imported before, wherever it lies, and also if it imports only within a function. A module that is imported
by a computed name is not seen.
"""

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from types import ModuleType
from typing import NamedTuple

_INSTALLED = ("site-packages", "dist-packages")
_TAKEN_FOR_GRANTED = sys.stdlib_module_names | {"robbench", "torch", "torchvision"}
"""No part of a defense, wherever they lie; every run records their versions."""


def text_with_neighbours(path: Path, text: str, places: Sequence[Path]) -> str:
    """A file's text, followed by those of its neighbours that it imports, directly or not.

    Args:
        path: The file, resolved.
        text: What stands in it.
        places: The folders in which neighbours are looked for.
    """
    file = _File(path.parent, PurePath(path.name))
    return _joined(text, _Origin(tuple(each for each in places if each.name not in _INSTALLED)), file)


def text_of_module(module: ModuleType | None) -> str:
    """A module's text, followed by those of the modules of the same origin that it imports, directly or not.

    Of the same origin are the modules of its top-level package and, unless that is installed among others,
    those beside the package.

    Args:
        module: The module; None, and one that is not written in Python, has an empty text.
    """
    path = Path(getattr(module, "__file__", None) or "")
    if module is None or path.suffix != ".py":
        return ""
    parts = module.__name__.split(".")
    if parts[0] in _TAKEN_FOR_GRANTED:
        return _read(path)
    inside = PurePath(*path.parts[-len(parts) - (path.name == "__init__.py") :])
    root = path.parents[len(inside.parts) - 1]
    origin = _Origin((root,), parts[0] if root.name in _INSTALLED else "")
    return _joined(_read(path), origin, _File(root, inside), origin.find(parts))


class _File(NamedTuple):
    place: Path
    """The folder in which it was found by its name."""
    inside: PurePath


@dataclass(frozen=True)
class _Origin:
    """Where the code of a defense comes from.

    Attributes:
        places: The folders in which a name is looked for, in this order.
        package: The one top-level package there that counts; empty: all.
    """

    places: tuple[Path, ...]
    package: str = ""

    def find(self, parts: Sequence[str]) -> list[_File]:
        """The files that the import of a dotted name runs: its packages', from the outermost, and its own."""
        if parts[0] in _TAKEN_FOR_GRANTED or self.package not in ("", parts[0]):
            return []
        return next(filter(None, (_files(place, PurePath(), parts) for place in self.places)), [])

    def imported(self, file: _File, text: str) -> Iterator[_File]:
        """The files that the text of a file imports."""
        folders = file.inside.parents
        for level, parts in _names(text):
            if level == 0:
                yield from self.find(parts)
            elif level <= len(folders):
                yield from _files(file.place, folders[level - 1], parts)


def _joined(text: str, origin: _Origin, file: _File, more: Iterable[_File] = ()) -> str:
    texts = {file: text}
    waiting = [*more, *origin.imported(file, text)]
    while waiting:
        each = waiting.pop()
        if each not in texts:
            texts[each] = _read(each.place / each.inside)
            waiting.extend(origin.imported(each, texts[each]))
    # By their names in Python, which do not tell where all this lies.
    others = sorted((each.inside.as_posix(), texts[each]) for each in texts if each != file)
    return "\0".join([text, *(part for other in others for part in other)])


def _names(text: str) -> set[tuple[int, tuple[str, ...]]]:
    """What a text imports: how many dots lead, and the parts of the name; the last may be no module's."""
    try:
        with warnings.catch_warnings():
            # Python has said already what it thinks of the text.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError):
        return set()
    names: set[tuple[int, tuple[str, ...]]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update((0, tuple(each.name.split("."))) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module.split(".") if node.module else []
            names.update((node.level, (*start, each.name)) for each in node.names)
    return names


def _files(place: Path, folder: PurePath, parts: Sequence[str]) -> list[_File]:
    stems = [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    # As Python does: of a package and a module of one name, the package.
    options = [(stem / "__init__.py", stem.parent / f"{stem.name}.py") for stem in stems]
    found = [next((each for each in either if (place / each).is_file()), None) for either in options]
    return [_File(place, each) for each in found if each]


@cache
def _read(path: Path) -> str:
    """A file's text when it was first asked for: Python, too, reads a module only once."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
