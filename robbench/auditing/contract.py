"""What a check of an audit is given and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from robbench.analysis.survival import Survival
from robbench.analysis.worst_of import worst_of
from robbench.auditing.probes import Probes
from robbench.epsilon import EpsilonUnit

Verdict = Literal["pass", "fail", "inconclusive"]

Symptom = Literal["masked gradients", "attacks that fall short", "a randomized forward pass"]
"""What a failed check is a sign of."""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        verdict: ``inconclusive`` where there are too few samples, or the check does not apply; the reason
            says which.
        number: What was measured; None where nothing could be.
        unit: Its unit: ``points`` of accuracy (a difference, signed) or ``%`` (of samples).
        reason: Why this verdict, in words.
        advice: What to do about it; empty where there is nothing to do.
    """

    verdict: Verdict
    number: float | None
    unit: Literal["points", "%", ""]
    reason: str
    advice: str = ""


@dataclass(frozen=True)
class Evidence:
    """All that was measured of one defense. Samples it ever gets wrong unperturbed are left out everywhere.

    Attributes:
        survivals: What survived each attack, by the name under which :mod:`robbench.auditing.attacks` asks
            for it; a sample broken at some ε is broken above.
        white_box: The names of those that differentiate the defense itself.
        stand_ins: The names of those that differentiate a stand-in of the defense, such as ``bpda``.
        transfers: The names of those that differentiate another defense.
        missing: Attacks that could not be run, by name, and why not.
        alone: The reference attack with every ε by itself, judged at the last iterate; radii up to 1.
        beyond: The reference attack at radii where robustness is impossible, 0.5 and 1.
        commonest: How many of the samples are of the commonest class.
        probes: What was measured on the model directly.
        unit: The unit of ε.
    """

    survivals: Mapping[str, Survival]
    white_box: tuple[str, ...]
    stand_ins: tuple[str, ...]
    transfers: tuple[str, ...]
    missing: Mapping[str, str]
    alone: Survival
    beyond: Survival
    commonest: int
    probes: Probes
    unit: EpsilonUnit

    @property
    def samples(self) -> int:
        """How many samples were attacked."""
        return len(self.alone.samples)

    @cached_property
    def white_box_union(self) -> Survival:
        """What survives every attack that differentiates the defense itself: a sample is broken by any."""
        return self.union(self.white_box)

    def union(self, names: tuple[str, ...]) -> Survival:
        """What survives all of some attacks."""
        return worst_of(self.survivals[name] for name in names)


Examine = Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Check:
    """One question about a defense.

    Attributes:
        name: For tables and files: lower-case words joined by hyphens.
        title: What should hold, in a few words; a failed check says that it does not.
        source: Where the check comes from: author, year, arXiv number.
        symptom: What a failure is a sign of.
        attacks: Attacks that it needs beyond those every audit runs.
        examine: Looks at the evidence.
    """

    name: str
    title: str
    source: str
    symptom: Symptom
    attacks: tuple[str, ...]
    examine: Examine
