"""The conformance list: for every known pitfall of the libraries, its state here and robbench's guard."""

import warnings
from dataclasses import dataclass

import torch

from robbench.agreeing.probes import Probe, probes
from robbench.classifier import seeded

PRESENT, ABSENT, MISSING, FAILED = "present", "fixed upstream", "not installed", "could not be checked"


@dataclass(frozen=True)
class Conformance:
    """One line of the list.

    Attributes:
        number: The pitfall's number.
        package: The library.
        version: Its installed version; empty without it.
        pitfall: What goes wrong.
        source: Where that is reported or can be read.
        state: ``present``, ``fixed upstream``, ``not installed`` or ``could not be checked``.
        seen: What shows it.
        guarded: Whether robbench's guard holds; None where it could not be tried.
        guard: What robbench does about it.
    """

    number: int
    package: str
    version: str
    pitfall: str
    source: str
    state: str
    seen: str
    guarded: bool | None
    guard: str


def check_conformance() -> list[Conformance]:
    """Run every probe, in the order of the list; a few seconds."""
    return [run_probe(probe) for _, probe in probes.items()]


def run_probe(probe: Probe) -> Conformance:
    """Run one probe; whatever it raises becomes a line that says so."""
    about = (probe.number, probe.package, probe.version, probe.pitfall, probe.source)
    if not probe.version:
        return Conformance(*about, MISSING, "", None, "")
    try:
        # Probes reseed and warn on purpose; nothing of it stays or is seen.
        with warnings.catch_warnings(), seeded(0, torch.device("cpu")), torch.enable_grad():
            warnings.simplefilter("ignore")
            found = probe.run()
    except Exception as error:  # a library may have changed in any way, and the other lines still count
        return Conformance(*about, FAILED, f"{type(error).__name__}: {error}", None, "")
    state = PRESENT if found.present else ABSENT
    return Conformance(*about, state, found.seen, found.guarded, found.guard)
