"""The registry of checks."""

from collections.abc import Callable

from robbench.auditing.contract import Check, Examine, Symptom
from robbench.registry import Registry

checks: Registry[Check] = Registry("audit_check", "robbench.auditing.checks")
"""Not ``check``: other packages join by that word, and :mod:`robbench.checking` has checks of its own."""


def register_check(
    name: str, title: str, source: str, symptom: Symptom = "masked gradients", attacks: tuple[str, ...] = ()
) -> Callable[[Examine], Examine]:
    """A decorator that makes a function a check; see :class:`Check` for the arguments."""

    def add(examine: Examine) -> Examine:
        checks.register(name)(Check(name, title, source, symptom, attacks, examine))
        return examine

    return add
