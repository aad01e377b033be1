"""Following PGD step by step on one batch: what it sees, and what it finds on the way."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from robbench.attacks.gradient import PGD
from robbench.attacks.undefined import followable
from robbench.classifier import predict
from robbench.randomness import mix_keys
from robbench.sweep.judge import mislabels
from robbench.sweep.target import Target
from robbench.tensors import Images, Keys, Labels, PerSample
from robbench.threat import Ball


class Trace(NamedTuple):
    """PGD's whole course; nobody leaves early."""

    losses: Float[Tensor, "iterates n"]
    """The loss that is ascended, at every iterate, the start first."""
    fools_view: Bool[Tensor, "iterates n"]
    """Whether the iterate is mislabelled by the view."""
    fools_exact: Bool[Tensor, "iterates n"]
    """Whether it is mislabelled by the defense."""


def trace(attack: PGD, target: Target, ball: Ball, labels: Labels, keys: Keys) -> Trace:
    """Run PGD to its last step, whatever it finds.

    Args:
        attack: The attack, with a step count.
        target: The view that is differentiated, and the judge.
        ball: Where the iterates stay.
        labels: The true classes.
        keys: One random key per sample.
    """
    iterate = attack.start(ball, mix_keys(keys, -1))
    losses, fools_view, fools_exact = [], [], []
    for step in range((attack.steps or 1) + 1):
        loss, gradient, logits = input_gradient(attack, target, iterate, labels)
        exact = logits if target.view_is_exact else predict(target.judge.model, iterate)
        losses.append(loss)
        fools_view.append(mislabels(logits, labels, target.judge.criterion))
        fools_exact.append(mislabels(exact, labels, target.judge.criterion))
        iterate = attack.move(iterate, followable(gradient), ball, mix_keys(keys, step))
    return Trace(torch.stack(losses), torch.stack(fools_view), torch.stack(fools_exact))


class InputGradient(NamedTuple):
    """A loss and its gradient."""

    loss: PerSample
    gradient: Images
    logits: Tensor


def input_gradient(attack: PGD, target: Target, images: Images, labels: Labels) -> InputGradient:
    """The attack's loss on a target's view, its gradient in the images as it comes, and the logits."""

    def differentiate(part: Images, true: Labels) -> tuple[Tensor, Tensor, Tensor]:
        part = part.detach().requires_grad_()
        logits = target.view(part)
        loss = attack.objective(logits, true)
        (gradient,) = torch.autograd.grad(loss.sum(), part)
        return loss.detach(), gradient, logits.detach()

    return InputGradient(*target.size.in_parts(differentiate, images, labels))
