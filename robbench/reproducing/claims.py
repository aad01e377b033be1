"""What the paper says of NSQ beside PGD-AT, and the difference that ours shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from robbench.analysis.claims import Flags, PairedDifference, paired_differences
from robbench.analysis.protocols import PAPER
from robbench.analysis.survival import Survival, survivals_of
from robbench.analysis.verdicts import p_text, signed
from robbench.figures.titles import attack_title, dataset_title
from robbench.reproducing.collecting import NOT_RUN
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun
from robbench.text_table import TextTable

_COLUMNS = ("dataset", "attack", "ε", "paper", "ours: NSQ − PGD-AT, with its 95 % interval")
_CANDIDATE, _BASELINE = "nsq", "pgd-at"

Survivals = dict[tuple[str, str], list[Mapping[str, Survival]]]
"""Of a dataset and a defense: of each of its runs, what survives each attack."""


@dataclass(frozen=True)
class Claim:
    """A difference in words.

    Attributes:
        dataset: The registered name.
        attack: The attack's canonical name.
        epsilon: Where, in pixel scale.
        words: What the paper says, in points of accuracy.
    """

    dataset: str
    attack: str
    epsilon: float
    words: str


CLAIMS = (
    Claim("mnist", "pgd100", 0.3, "+6, nearly"),
    Claim("mnist", "bpda100-substitute", 0.3, "−5"),
    Claim("mnist", "bpda100-substitute", 0.075, "above, as everywhere below 0.1"),
)
"""Section 5, MNIST."""


def claims_table(runs: Sequence[PaperRun], shelf: Shelf) -> TextTable:
    """Every claim, and our paired difference in points under the same attack by the paper's protocol.

    Args:
        runs: Of the ordinary models; of several of one model, the one with most samples counts.
        shelf: Where they lie.
    """
    survivals: Survivals = {}
    for run in runs:
        if run.protocol == PAPER and run.criterion == "top1":
            survivals.setdefault((run.training.dataset, run.training.defense), []).append(
                _survivals(run, shelf)
            )
    pairs = {claim: _pair(claim, survivals) for claim in CLAIMS}
    tested = {claim: pair for claim, pair in pairs.items() if not isinstance(pair, str)}
    found = dict(zip(tested, paired_differences(list(tested.values())), strict=True))
    rows = [
        (
            dataset_title(claim.dataset),
            _words(claim),
            f"{claim.epsilon:g}",
            claim.words,
            _ours(found[claim]) if claim in found else str(pairs[claim]),
        )
        for claim in CLAIMS
    ]
    return TextTable("What the paper says of NSQ beside PGD-AT, in points", _COLUMNS, rows, numbers=1)


def _survivals(run: PaperRun, shelf: Shelf) -> Mapping[str, Survival]:
    """What survives each attack of a run; empty where it was not made."""
    stored = shelf.stored(run)
    return survivals_of(stored.outcomes(), tuple(stored.manifest["spec"]["eps_grid"])) if stored else {}


def _pair(claim: Claim, survivals: Survivals) -> tuple[Flags, Flags] | str:
    """Who survives at the claim's ε, of NSQ's and of PGD-AT's samples; why that is not known, in words."""
    candidates, baselines = (
        [
            found.at((claim.epsilon,))
            for by_attack in survivals.get((claim.dataset, name), [])
            if (found := by_attack.get(claim.attack)) is not None and claim.epsilon in found.epsilons
        ]
        for name in (_CANDIDATE, _BASELINE)
    )
    if not candidates or not baselines:
        return NOT_RUN
    pairs = [pair for pair in product(candidates, baselines) if pair[0].samples.equals(pair[1].samples)]
    if not pairs:
        return "on different samples"
    candidate, baseline = max(pairs, key=lambda pair: len(pair[0].samples))
    return candidate.survived[:, 0], baseline.survived[:, 0]


def _words(claim: Claim) -> str:
    name, details, _ = attack_title(claim.attack)
    return ", ".join([name, *details])


def _ours(found: PairedDifference) -> str:
    interval = f"{signed(found.low)} to {signed(found.high)}"
    return f"{signed(found.points)} ({interval}), {p_text(found.p_holm)}, n = {found.n:,}"
