"""What a job attacks: the exact classifier that judges, and the view that is differentiated."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from robbench.classifier import CountedModel, PassCounter
from robbench.sweep.judge import Judge
from robbench.threat import Norm


@dataclass(frozen=True)
class Target:
    """One defense, as one attack meets it.

    Attributes:
        judge: Decides success, on the exact classifier; its passes are counted.
        view: The module the attack differentiates; its passes are counted.
        view_is_exact: Whether the view's forward pass is the exact classifier's, so that its logits already
            tell which iterates are worth judging.
        counter: Counts the passes of both.
        norm: What measures ε.
        classes: The number of classes of the labels.
        device: Where both modules are.
    """

    judge: Judge
    view: nn.Module
    view_is_exact: bool
    counter: PassCounter
    norm: Norm
    classes: int
    device: torch.device


def make_target(
    exact: nn.Module,
    view: nn.Module,
    view_is_exact: bool,
    criterion: str,
    norm: Norm,
    classes: int,
    device: torch.device,
) -> Target:
    """A target whose modules count their passes.

    Args:
        exact: The classifier that decides.
        view: The module to differentiate; ``exact`` itself, or a stand-in.
        view_is_exact: Whether the view's forward pass is the exact classifier's.
        criterion: ``top1`` or ``top5``.
        norm: What measures ε.
        classes: The number of classes of the labels.
        device: Where both modules are.
    """
    counter = PassCounter()
    counted_exact = CountedModel(exact, counter)
    counted_view = counted_exact if view is exact else CountedModel(view, counter)
    return Target(
        Judge(counted_exact, criterion), counted_view, view_is_exact, counter, norm, classes, device
    )


Progress = Callable[[int, PassCounter], None]
"""Told, now and then, how many samples have been decided so far and how many passes were made."""
