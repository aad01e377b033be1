"""Passes of the native engine: exact logits and the gradient under the view, in parts that fit."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import nn

from robbench.attacks import IterativeAttack
from robbench.attacks.undefined import followable
from robbench.classifier import lay_out
from robbench.devices import arithmetic
from robbench.sweep.target import Target
from robbench.tensors import Images, Labels, Logits

COMPILED_FROM = 8
"""Samples in a batch that is worth a program made for any size; one of a single sample would be made anew."""


class Models(NamedTuple):
    """What makes the passes; both count them."""

    view: nn.Module
    """What is differentiated."""
    exact: nn.Module
    """What decides; it is asked where the view does not tell."""


@dataclass
class Gradients:
    """Differentiates an attack's objective on a target.

    Attributes:
        attack: Whose objective.
        target: The exact classifier and the view.
        precision: ``float32``, or ``bfloat16`` for the passes made here.
        compiled: What computes the same faster for batches of at least :data:`COMPILED_FROM`, if anything.
    """

    attack: IterativeAttack
    target: Target
    precision: str
    compiled: Models | None = None
    cost: int = field(init=False)
    """Forward passes per image: those of both models where the view does not tell the exact one's logits."""

    def __post_init__(self) -> None:
        exact, view = self.target.exact_passes, self.target.view_passes
        guided = view if self.target.view_is_exact else view + exact
        self.cost = guided if self.attack.uses_gradient else exact

    def at(self, images: Images, labels: Labels) -> tuple[Logits, Images]:
        """The exact logits of images, and the gradient of the objective under the view."""
        logits, gradient = self.target.size.in_parts(self._pass, images, labels)
        return logits, gradient

    def alone(self, images: Images, labels: Labels) -> Images:
        """The gradient only, which spares the exact model where the view does not tell its logits."""
        return self.target.size.in_parts(self._differentiate, images, labels)[1]

    def _pass(self, images: Images, labels: Labels) -> tuple[Logits, Images]:
        if self.attack.uses_gradient:
            logits, gradient = self._differentiate(images, labels)
            if self.target.view_is_exact:
                return logits, gradient
        else:
            gradient = torch.zeros_like(images)
        exact, images = self._models(len(images)).exact, self._laid_out(images)
        with torch.no_grad(), self._arithmetic():
            return exact(images).float(), gradient

    def _differentiate(self, images: Images, labels: Labels) -> tuple[Logits, Images]:
        """The view's logits, and the gradient."""
        view, images = self._models(len(images)).view, self._laid_out(images).requires_grad_()
        with self._arithmetic():
            logits = view(images).float()
        (gradient,) = torch.autograd.grad(self.attack.objective(logits, labels).sum(), images)
        return logits.detach(), followable(gradient)

    def _laid_out(self, images: Images) -> Images:
        return lay_out(
            images.detach(), torch.channels_last if self.target.channels_last else torch.contiguous_format
        )

    def _models(self, samples: int) -> Models:
        if self.compiled is not None and samples >= COMPILED_FROM:
            return self.compiled
        return Models(self.target.view, self.target.judge.model)

    def _arithmetic(self) -> torch.autocast:
        return arithmetic(self.target.device, self.precision)
