"""What the paper says of NSQ beside PGD-AT, and the difference that ours shows."""

from dataclasses import dataclass

import pandas as pd

from robbench.analysis.protocols import PAPER
from robbench.analysis.verdicts import signed
from robbench.figures.titles import attack_title, dataset_title
from robbench.reproducing.collecting import DONE, NOT_RUN
from robbench.text_table import TextTable

_COLUMNS = ("dataset", "attack", "ε", "paper", "ours: NSQ − PGD-AT")
_SAME = 1e-9


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


def claims_table(data: pd.DataFrame) -> TextTable:
    """Every claim, and our difference in points under the same attack by the paper's protocol.

    Args:
        data: Columns as in :data:`robbench.reproducing.collecting.COLUMNS`.
    """
    rows = [
        (dataset_title(claim.dataset), _words(claim), f"{claim.epsilon:g}", claim.words, _ours(claim, data))
        for claim in CLAIMS
    ]
    return TextTable("What the paper says of NSQ beside PGD-AT, in points", _COLUMNS, rows, numbers=1)


def _words(claim: Claim) -> str:
    name, details, _ = attack_title(claim.attack)
    return ", ".join([name, *details])


def _ours(claim: Claim, data: pd.DataFrame) -> str:
    there = data.loc[
        (data["state"] == DONE)
        & (data["protocol"] == PAPER)
        & (data["dataset"] == claim.dataset)
        & (data["attack"] == claim.attack)
        & ((data["epsilon"] - claim.epsilon).abs() < _SAME)
    ]
    if there["n"].nunique() > 1:
        return "on different samples"
    accuracy = dict(zip(there["defense"], there["robust_accuracy"], strict=True))
    if not {"nsq", "pgd-at"} <= accuracy.keys():
        return NOT_RUN
    return signed(100 * (accuracy["nsq"] - accuracy["pgd-at"]))
