"""The registry of probes, and what a probe finds."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from robbench.registry import Registry

PACKAGES = {"art": "adversarial-robustness-toolbox"}
"""Libraries whose package is not called like their module."""


class Finding(NamedTuple):
    """What a probe saw."""

    present: bool
    """Whether the pitfall is there."""
    seen: str
    """The number or the behaviour that shows it."""
    guarded: bool
    """Whether robbench's guard holds."""
    guard: str
    """What robbench does about it."""


@dataclass(frozen=True)
class Probe:
    """One pitfall of a library and the experiment that looks for it.

    Attributes:
        number: Its place in the conformance list, from 1.
        package: The library that must be installed; the probe is skipped without it.
        pitfall: What goes wrong, in one line.
        source: Where it was reported, or the file that shows it.
        run: The experiment, a second or so; restores nothing, so it works on models of its own.
    """

    number: int
    package: str
    pitfall: str
    source: str
    run: Callable[[], Finding]

    @property
    def version(self) -> str:
        """The installed version of the library's package; empty where it is not installed.

        The package, not the module: torchattacks installs a module ``robustbench`` that is not RobustBench.
        """
        try:
            return importlib.metadata.version(PACKAGES.get(self.package, self.package))
        except importlib.metadata.PackageNotFoundError:
            return ""


probes: Registry[Probe] = Registry("probe", "robbench.agreeing.probes")
"""By two-digit number."""


def register_probe(
    number: int, library: str, pitfall: str, source: str
) -> Callable[[Callable[[], Finding]], Callable[[], Finding]]:
    """A decorator that makes an experiment known by its number in the conformance list."""

    def add(run: Callable[[], Finding]) -> Callable[[], Finding]:
        probes.register(f"{number:02d}")(Probe(number, library, pitfall, source, run))
        return run

    return add
