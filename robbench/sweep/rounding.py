"""Whether steps in bfloat16 go where those in float32 would: what they follow is compared beforehand.

Success is judged in float32, but only of images that the steps have led to. Where logits end in a function
that saturates, such as a sigmoid, bfloat16 rounds to 1 what float32 tells from it, and the gradient is lost:
everything is then judged rightly, and survives.
"""

import torch
from torch import Tensor

from robbench.attacks import IterativeAttack
from robbench.attacks.gradient import PGD
from robbench.classifier import reseed
from robbench.datasets import Samples
from robbench.sweep.gradients import Gradients
from robbench.sweep.target import Target
from robbench.tensors import Images
from robbench.threat import Norm

KEPT = 0.95
"""How much of the rise must be kept. Of the shipped networks it is 0.99 and more, but for PGD-AT on MNIST,
whose first layer is a threshold (0.81). Digits' natural network keeps 0.90 followed by a softmax, 0.81 by a
logit and 0.44 by a sigmoid; of 100 images these left up to 8, 42 and 52 more than in float32."""
MARGIN = PGD(loss="cw")
"""Asked for beside every attack: its loss meets on unperturbed images what cross-entropy meets further on,
such as a first class and a second that are both rounded to 1."""


def is_fit_for_bfloat16(attack: IterativeAttack, target: Target, samples: Samples) -> bool:
    """Whether passes in bfloat16 neither fail nor lead an attack astray.

    Who calls this is inside :func:`robbench.classifier.seeded`.

    Args:
        attack: Whose objective is differentiated.
        target: What it attacks.
        samples: A few real ones.
    """
    try:
        return all(_keeps_its_way(each, target, samples) for each in (attack, MARGIN))
    except Exception:  # whatever it is: where float32 raises too, it is asked again, and says so
        return False


def _keeps_its_way(attack: IterativeAttack, target: Target, samples: Samples) -> bool:
    images, labels = samples.images.to(target.device), samples.labels.to(target.device)

    def gradient(precision: str) -> Images:
        reseed(0, target.device)  # so that a randomized defense draws the same in both
        return Gradients(attack, target, precision).at(images, labels)[1]

    return rise_kept(gradient("float32"), gradient("bfloat16"), target.norm) >= KEPT


def rise_kept(exact: Images, rounded: Images, norm: Norm) -> float:
    """How much of the steepest rise a step along a rounded gradient makes, to first order, on average.

    Args:
        exact: The gradient of what is to rise; where it is zero, nothing can be lost.
        rounded: The gradient that is followed.
        norm: What measures the step.
    """
    exact, rounded = exact.double(), rounded.double()
    best, made = (_rise(exact, norm.ascent(followed)) for followed in (exact, rounded))
    return float(torch.where(best > 0, (made / best).clamp_min(0), 1.0).mean())


def _rise(gradient: Images, direction: Images) -> Tensor:
    return (gradient * direction).flatten(1).sum(1)
