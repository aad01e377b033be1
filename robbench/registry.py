"""Names to things: a registry that fills itself from the modules of one package."""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from robbench.errors import UserError

T = TypeVar("T")

SHOWN = 40
"""Names at most that an error lists; timm knows more than a thousand."""


def suggest(kind: str, name: str, known: Iterable[str], list_command: str = "") -> UserError:
    """The error for an unknown name, with the nearest names that exist.

    Args:
        kind: What the name should have named, for example ``"defense"``.
        name: What the user typed.
        known: The names that exist.
        list_command: A command that lists them all; empty where there is none.
    """
    options = sorted(known)
    near = difflib.get_close_matches(name.lower(), options, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else _there_are(options)
    if list_command:
        hint += f" `{list_command}` lists them all."
    return UserError(f"There is no {kind} called {name!r}.", hint)


def _there_are(options: list[str]) -> str:
    more = f" and {len(options) - SHOWN} more" if len(options) > SHOWN else ""
    return f"There are: {', '.join(options[:SHOWN])}{more}."


class Registry(Generic[T]):
    """A named collection that imports every module of a package to find its members.

    A new member is one new file in that package which calls :meth:`register`; no list is edited. Packages
    of other people join through the entry-point group ``robbench.<kind>s``.

    Args:
        kind: The singular noun for a member, used in messages: ``"defense"``.
        package: The import path of the package whose modules register members.
        list_command: A command that lists them all; empty where there is none.
        expected: What a member is, in words, for who gives another package's entry point something else.
        fits: Whether something is a member.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        list_command: str = "",
        expected: str = "",
        fits: Callable[[object], bool] | None = None,
    ) -> None:
        self.kind = kind
        self.list_command = list_command
        self._package = package
        self._expected, self._fits = expected, fits
        self._members: dict[str, T] = {}
        self._filled = False

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that puts its argument under ``name``; a name taken twice is an error."""

        def add(member: T) -> T:
            if name in self._members:
                raise ValueError(f"two {self.kind}s are called {name!r}")
            self._members[name] = member
            return member

        return add

    def names(self) -> list[str]:
        """All names, sorted."""
        self._fill()
        return sorted(self._members)

    def get(self, name: str) -> T:
        """The member called ``name``.

        Raises:
            UserError: No member has this name; the nearest names are suggested.
        """
        self._fill()
        if name not in self._members:
            raise suggest(self.kind.replace("_", " "), name, self._members, self.list_command)
        return self._members[name]

    def items(self) -> list[tuple[str, T]]:
        """All names with their members, sorted by name."""
        return [(name, self._members[name]) for name in self.names()]

    def _fill(self) -> None:
        if self._filled:
            return
        self._filled = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        for entry in entry_points(group=f"robbench.{self.kind}s"):
            self.register(entry.name)(self._load(entry))

    def _load(self, entry: EntryPoint) -> T:
        """What another package's entry point names, if it can join."""
        origin = f" of the package {entry.dist.name}" if entry.dist else ""
        subject = f"The {self.kind.replace('_', ' ')} {entry.name!r}{origin}"
        hint = "Mend that package, or uninstall it."
        try:
            member = entry.load()
        except Exception as error:
            raise UserError(f"{subject} cannot be imported: {type(error).__name__}: {error}", hint) from error
        if self._fits is not None and not self._fits(member):
            found = f"{entry.value} is of the type {type(member).__name__}"
            raise UserError(f"{subject} should be {self._expected}, but {found}.", hint)
        if entry.name in self._members:
            raise UserError(
                f"{subject} should have a name of its own, but there is another one called so.",
                "Give the entry point in that package another name, or uninstall it.",
            )
        return member
