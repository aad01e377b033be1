"""The registry of checks."""

from collections.abc import Callable
from dataclasses import dataclass

from robbench.checking.contract import Finding, Subject
from robbench.registry import Registry

Examine = Callable[[Subject], Finding]


@dataclass(frozen=True)
class Check:
    """One question to a defense.

    Attributes:
        name: What the table calls it.
        order: Its place: the more others depend on it, the lower.
        examine: Answers it. An exception that it raises is a failure of the defense.
        essential: Whether nothing else can be asked where it fails.
    """

    name: str
    order: int
    examine: Examine
    essential: bool = False


checks: Registry[Check] = Registry("check", "robbench.checking.checks")


def register_check(name: str, order: int, essential: bool = False) -> Callable[[Examine], Examine]:
    """A decorator that makes a function a check; see :class:`Check`."""

    def add(examine: Examine) -> Examine:
        checks.register(name)(Check(name, order, examine, essential))
        return examine

    return add


def checks_in_order() -> list[Check]:
    """All checks, in the order in which they are made."""
    return sorted((check for _, check in checks.items()), key=lambda check: check.order)
