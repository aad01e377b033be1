"""What a claim is made of: who is above whom, who is not below, what costs which share, what collapses."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from robbench.analysis.claims import (
    FAILS,
    HOLDS,
    MARGIN,
    UNDECIDED,
    PairedDifference,
    judge_above,
    judge_cost,
    judge_not_below,
)
from robbench.analysis.intervals import wilson
from robbench.analysis.verdicts import p_text, signed
from robbench.analysis.worst_of import WORST_OF
from robbench.reproducing.fast_training.evidence import CLEAN, Evidence
from robbench.reproducing.fast_training.settings import AUTOATTACK, PGD, SECOND_ORDER

_ATTACK_WORDS = {CLEAN: "clean", PGD: "PGD-20", AUTOATTACK: "AutoAttack", WORST_OF: "worst of all"}
_NO_COLLAPSE = "no collapse"
"""What a card's watch says after several looks; a collapse might hide before a single one."""

Test = tuple[str, str, str]
"""Candidate, baseline and attack."""


@dataclass(frozen=True)
class Finding:
    """What a part comes to.

    Attributes:
        verdict: Of :mod:`robbench.analysis.claims`.
        words: The numbers.
        values: The same for a table: columns of :data:`robbench.reproducing.fast_training.judging.COLUMNS`.
    """

    verdict: str
    words: str
    values: Mapping[str, Any]


class Part(ABC):
    """A part of a claim, which can be judged by itself."""

    kind: ClassVar[str]

    @property
    def test(self) -> Test | None:
        """The paired comparison that decides it; None: nothing is tested."""
        return None

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The defenses that it is about."""

    @abstractmethod
    def judge(self, evidence: Evidence, tested: Mapping[Test, PairedDifference]) -> Finding:
        """The verdict; undecided where something was not run.

        Args:
            evidence: What is known.
            tested: The differences of all tests that could be made.
        """


@dataclass(frozen=True)
class _Compared(Part, ABC):
    """A part decided by a paired comparison.

    Attributes:
        candidate: The defense that the claim is about.
        baseline: The one beside it.
        attack: Under which attack; ``clean``: none.
    """

    candidate: str
    baseline: str
    attack: str

    @property
    def test(self) -> Test | None:
        return self.candidate, self.baseline, self.attack

    @property
    def names(self) -> tuple[str, ...]:
        return self.candidate, self.baseline

    @abstractmethod
    def verdict(self, difference: PairedDifference) -> str:
        """What the difference says."""

    def objection(self, evidence: Evidence, difference: PairedDifference) -> str:
        """Why the difference decides nothing; empty: it does."""
        names = (self.candidate, self.baseline)
        held_out = {known["held_out"] for name in names if (known := _training(evidence, name))}
        watched_alone = "trained on different images, as one was watched" if len(held_out) > 1 else ""
        return _unlike(evidence, *names) or watched_alone

    def judge(self, evidence: Evidence, tested: Mapping[Test, PairedDifference]) -> Finding:
        values = {"candidate": self.candidate, "baseline": self.baseline, "attack": self.attack}
        found = tested.get((self.candidate, self.baseline, self.attack))
        if found is None:
            return Finding(UNDECIDED, f"{_ATTACK_WORDS[self.attack]}: not run", values)
        if failed := _failed(evidence, self.candidate, self.baseline):
            return Finding(UNDECIDED, failed, values)
        other = evidence.subjects[self.baseline].title
        words = (
            f"{_ATTACK_WORDS[self.attack]} {100 * found.candidate:.1f}, {other} {100 * found.baseline:.1f}: "
            f"{signed(found.points)} ({signed(found.low)} to {signed(found.high)}), {p_text(found.p_holm)}"
        )
        numbers = {
            "n": found.n,
            "candidate_value": found.candidate,
            "baseline_value": found.baseline,
            "difference": found.points,
            "ci_low": found.low,
            "ci_high": found.high,
            "p_holm": found.p_holm,
        }
        return _decided(self.verdict(found), words, values | numbers, self.objection(evidence, found))


class Above(_Compared):
    """The candidate is more accurate than the baseline."""

    kind = "above"

    def verdict(self, difference: PairedDifference) -> str:
        return judge_above(difference)


class NotBelow(_Compared):
    """The candidate is less accurate than the baseline by no more than the margin.

    Beside a baseline that is not above guessing that says nothing.
    """

    kind = f"at most {MARGIN:g} points below"

    def objection(self, evidence: Evidence, difference: PairedDifference) -> str:
        baseline = evidence.subjects[self.baseline]
        left = wilson(np.array(round(difference.baseline * difference.n)), np.array(difference.n))
        if left.low <= 1 / baseline.classes:
            return f"{baseline.title} is not above guessing"
        return super().objection(evidence, difference)

    def verdict(self, difference: PairedDifference) -> str:
        return judge_not_below(difference)


@dataclass(frozen=True)
class Costs(Part):
    """Training the candidate costs about a share of what the baseline's costs, or less.

    Passes decide, and seconds that were taken on the same device; where they disagree, nothing is decided.
    Passes say too little of who differentiates a gradient: of those, seconds decide alone.

    Attributes:
        candidate: The defense that the claim is about.
        baseline: The one beside it.
        share: Of the baseline's cost.
    """

    candidate: str
    baseline: str
    share: float
    kind = "cost"

    @property
    def names(self) -> tuple[str, ...]:
        return self.candidate, self.baseline

    def judge(self, evidence: Evidence, tested: Mapping[Test, PairedDifference]) -> Finding:
        values = {"candidate": self.candidate, "baseline": self.baseline}
        mine, other = (_training(evidence, name) for name in (self.candidate, self.baseline))
        if not mine or not other:
            return Finding(UNDECIDED, "cost: not trained", values)
        passes = [training["n_forward"] + training["n_backward"] for training in (mine, other)]
        shares = {"passes": passes[0] / passes[1]}
        if mine["device"] == other["device"]:
            shares["seconds"] = mine["seconds"] / other["seconds"]
        words = ", ".join(f"{share:.2f} of the {what}" for what, share in shares.items())
        told = {"seconds"} if SECOND_ORDER.intersection(self.names) else {"passes", "seconds"}
        verdicts = {judge_cost(share, self.share) for what, share in shares.items() if what in told}
        verdict = verdicts.pop() if len(verdicts) == 1 else UNDECIDED
        if told.isdisjoint(shares):
            words += ", which do not count that a gradient is differentiated"
        numbers = {
            "candidate_value": passes[0],
            "baseline_value": passes[1],
            "difference": shares["passes"],
        }
        return _decided(verdict, words, values | numbers, _unlike(evidence, self.candidate, self.baseline))


@dataclass(frozen=True)
class Collapses(Part):
    """The training collapses, or does not, as the watch over it saw; one training is one observation.

    That one collapses later, or a larger network does, a training that is not its recipe's cannot rule out.

    Attributes:
        candidate: The defense that the claim is about.
        expected: Whether the claim is that it does.
    """

    candidate: str
    expected: bool
    kind = "collapse"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.candidate,)

    def judge(self, evidence: Evidence, tested: Mapping[Test, PairedDifference]) -> Finding:
        values = {"candidate": self.candidate}
        if self.candidate not in evidence.subjects:
            return Finding(UNDECIDED, "watch: not trained", values)
        if failed := _failed(evidence, self.candidate):
            return Finding(UNDECIDED, failed, values)
        seen = evidence.subjects[self.candidate].training.get("overfitting", "")
        if not seen:
            return Finding(UNDECIDED, "the training was not watched", values)
        collapsed = seen.startswith("collapsed")
        if not collapsed and seen != _NO_COLLAPSE:
            return Finding(UNDECIDED, f"watch: {seen}", values)
        verdict = HOLDS if collapsed == self.expected else FAILS
        objection = _unlike(evidence, self.candidate)
        if not collapsed:
            objection = objection or _training(evidence, self.candidate)["deviations"]
        return _decided(verdict, f"watch: {seen}", values, objection)


def _failed(evidence: Evidence, *names: str) -> str:
    """Who of some defenses never learned, in words: such a training decides nothing; empty: nobody."""
    titles = [evidence.subjects[name].title for name in names if not evidence.subjects[name].learned]
    return f"{', '.join(titles)} did not learn" if titles else ""


def _unlike(evidence: Evidence, *names: str) -> str:
    """Why some trainings are not what a claim compares, in words; empty: they are.

    One whose own options were changed is another method, and the cheaper of two must not be the shorter.
    """
    subjects = [evidence.subjects[name] for name in names]
    altered = [
        f"{one.title} with {one.training['altered']}" for one in subjects if one.training.get("altered")
    ]
    if altered:
        return "; ".join(altered)
    known = [one.training for one in subjects if one.training]
    if len({training["iterations"] * training["batch_size"] for training in known}) > 1:
        return "trained for different lengths"
    same = len({training["deviations"] for training in known}) < 2
    return "" if same else "trained under different conditions"


def _decided(verdict: str, words: str, values: Mapping[str, Any], objection: str) -> Finding:
    """A finding; undecided, with its numbers, where there is an objection."""
    return (
        Finding(UNDECIDED, f"{words}; {objection}", values) if objection else Finding(verdict, words, values)
    )


def _training(evidence: Evidence, name: str) -> dict[str, Any]:
    """What is known of a training; empty: nothing."""
    return evidence.subjects[name].training if name in evidence.subjects else {}
