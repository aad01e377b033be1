"""The accuracies that the soft-quantization paper states as numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class PaperPoint:
    """One stated accuracy.

    Attributes:
        dataset: The registered name.
        defense: The registered name.
        steps: PGD steps; 0 for the accuracy on clean images, which holds under every attack.
        view: What the attack differentiates. The paper's "BPDA" leaves the layer out: ``substitute``.
        epsilon: Radius in linf, pixel scale.
        accuracy: Share of the test set, from 0 to 1.
        criterion: ``top1`` or ``top5``.
        place: Where the paper says so.
    """

    dataset: str
    defense: str
    steps: int
    view: str
    epsilon: float
    accuracy: float
    criterion: str = "top1"
    place: str = "Table 1"


PAPER_POINTS = (
    PaperPoint("mnist", "nsq", 100, "exact", 0.3, 0.9849, place="section 5, MNIST"),
    PaperPoint("mnist", "nsq", 100, "substitute", 0.3, 0.8732, place="section 5, MNIST"),
    PaperPoint("cifar10", "nsq", 20, "exact", 8 / 255, 0.7801, place="section 5, CIFAR-10"),
    PaperPoint("cifar10", "nsq", 20, "substitute", 8 / 255, 0.3443, place="section 5, CIFAR-10"),
    PaperPoint("cifar10", "pgd-at", 20, "exact", 8 / 255, 0.4662, place="abstract"),
    PaperPoint("imagenet", "natural", 0, "exact", 0.0, 0.77978),
    PaperPoint("imagenet", "natural", 0, "exact", 0.0, 0.93944, "top5"),
    PaperPoint("imagenet", "nsq", 0, "exact", 0.0, 0.73438),
    PaperPoint("imagenet", "nsq", 0, "exact", 0.0, 0.91106, "top5"),
    PaperPoint("imagenet", "natural", 20, "exact", 4 / 255, 0.05974),
    PaperPoint("imagenet", "natural", 20, "exact", 4 / 255, 0.10460, "top5"),
    PaperPoint("imagenet", "nsq", 20, "exact", 4 / 255, 0.32578),
    PaperPoint("imagenet", "nsq", 20, "exact", 4 / 255, 0.69718, "top5"),
    PaperPoint("imagenet", "nsq", 20, "substitute", 4 / 255, 0.22582),
    PaperPoint("imagenet", "nsq", 20, "substitute", 4 / 255, 0.65576, "top5"),
)
"""Under cross-entropy: Table 1 says so, and the text gives the others without a loss."""

_PGD = re.compile(r"(?:pgd|bpda)(?P<steps>\d+)(?:-substitute)?(?:@[a-z]+)?")
_SAME = 1e-6


def points_of(curve: pd.DataFrame) -> Iterator[PaperPoint]:
    """The stated accuracies that a curve should be compared with.

    Dataset, defense, steps, view, loss, norm and criterion must be the paper's, and ε be in the curve's grid.

    Args:
        curve: The points of one curve, columns as in :data:`robbench.schema.CURVES`.
    """
    head = curve.iloc[0]
    match = _PGD.fullmatch(head["attack"])
    steps = int(match["steps"]) if match and head["loss"] == "ce" else -1
    for point in PAPER_POINTS:
        same_test = (point.dataset, point.criterion, "linf") == (
            head["dataset"],
            head["criterion"],
            head["norm"],
        )
        same_attack = point.steps == 0 or (point.steps, point.view) == (steps, head["view"])
        swept = any(abs(epsilon - point.epsilon) < _SAME for epsilon in curve["epsilon"])
        if same_test and same_attack and swept and point.defense == head["defense"]:
            yield point
