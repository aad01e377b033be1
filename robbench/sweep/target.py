"""What a job attacks: the exact classifier that judges, and the view that is differentiated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from robbench.classifier import CountedModel, PassCounter
from robbench.defenses.expectation import passes_of
from robbench.sweep.judge import Judge
from robbench.sweep.passes import PartedModel, PassSize
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
        classes: The number of classes that the exact classifier tells apart.
        device: Where both modules are.
        size: How many samples one pass of either holds.
        channels_last: Whether both are laid out, and take images, channels last.
        varies: Whether a pass of either may answer the same image otherwise the next time: at random, or in
            other company.
        exact_passes: The passes behind one answer of the exact classifier: several where it averages.
        view_passes: Likewise of the view.
    """

    judge: Judge
    view: nn.Module
    view_is_exact: bool
    counter: PassCounter
    norm: Norm
    classes: int
    device: torch.device
    size: PassSize
    channels_last: bool = False
    varies: bool = False
    exact_passes: int = 1
    view_passes: int = 1


class View(NamedTuple):
    """What an attack differentiates."""

    model: nn.Module
    """The exact classifier itself, or a stand-in."""
    is_exact: bool
    """Whether its forward pass is the exact classifier's."""


def make_target(
    exact: nn.Module,
    view: View,
    criterion: str,
    norm: Norm,
    classes: int,
    device: torch.device,
    size: PassSize,
) -> Target:
    """A target whose modules count their passes, and make them in parts that fit in memory.

    Args:
        exact: The classifier that decides.
        view: The module to differentiate.
        criterion: ``top1`` or ``top5``.
        norm: What measures ε.
        classes: The number of classes that the exact classifier tells apart.
        device: Where both modules are.
        size: How many samples one pass holds.
    """
    counter = PassCounter()
    # Counted outside: what an attack asks for does not depend on the parts in which it is computed.
    counted_exact = _counted(exact, size, counter)
    counted_view = counted_exact if view.model is exact else _counted(view.model, size, counter)
    return Target(
        Judge(counted_exact, criterion),
        counted_view,
        view.is_exact,
        counter,
        norm,
        classes,
        device,
        size,
        exact_passes=counted_exact.passes,
        view_passes=counted_view.passes,
    )


def _counted(model: nn.Module, size: PassSize, counter: PassCounter) -> CountedModel:
    return CountedModel(PartedModel(model, size), counter, passes=passes_of(model))


Progress = Callable[[int, PassCounter], None]
"""Told, now and then, how many samples have been decided so far and how many passes were made."""
