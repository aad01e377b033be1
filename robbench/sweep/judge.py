"""The judge: whether an image really breaks a defense. No attack grades itself."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from robbench.errors import UserError
from robbench.tensors import Flags, Images, Labels, Logits, PerSample
from robbench.threat import Ball

CRITERIA = {"top1": 1, "top5": 5}
"""A sample is broken when its label is not among this many highest logits."""


class Verdict(NamedTuple):
    """What the judge says of a batch of images."""

    broken: Flags
    """Mislabelled, in the box and within ε."""
    prediction: Labels
    """The class the exact model gives."""
    distance: PerSample
    """Measured from the unperturbed image, in pixel scale."""


@dataclass(frozen=True)
class Judge:
    """Judges images by the exact model in full precision.

    Attributes:
        model: The exact classifier, frozen, in eval mode.
        criterion: ``top1`` or ``top5``.
    """

    model: nn.Module
    criterion: str = "top1"

    def judge(self, points: Images, ball: Ball, labels: Labels) -> Verdict:
        """Judge images against the ball they were meant to stay in."""
        with torch.no_grad():
            logits = self.model(points)
        broken = mislabels(logits, labels, self.criterion) & ball.within(points)
        return Verdict(broken, logits.argmax(1), ball.norm.distance(points, ball.centers))


def mislabels(logits: Logits, labels: Labels, criterion: str) -> Flags:
    """Whether each label is missing among the criterion's highest logits.

    NaN among the logits counts as a mislabelling: a classifier cannot survive by giving no answer.
    """
    count = min(CRITERIA[criterion], logits.shape[1] - 1)
    if count == 1:
        missing = logits.argmax(1) != labels
    else:
        missing = (logits.topk(count, dim=1).indices != labels.unsqueeze(1)).all(1)
    return missing | logits.isnan().any(1)


def check_criterion(criterion: str) -> None:
    """Refuse an unknown criterion.

    Raises:
        UserError: It is not in :data:`CRITERIA`.
    """
    if criterion not in CRITERIA:
        raise UserError(f"There is no criterion called {criterion!r}.", f"There are: {', '.join(CRITERIA)}.")
