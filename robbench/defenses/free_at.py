"""Free-AT: adversarial training whose one backward pass serves weights and perturbation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robbench.datasets import DatasetInfo
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_positive, check_radius
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense

PERTURBATION = "perturbation"
PERTURBED = "perturbed"


@register_defense("free-at")
@dataclass(frozen=True)
class FreeAT(PlainNetworkRecipe):
    """The basic network, trained on each batch several times while one perturbation grows.

    Algorithm 1 of the paper: every batch is shown m times in a row; the backward pass that trains the weights
    gives the image's gradient too, along whose sign the perturbation moves by ε. It is kept from batch to
    batch. As in the authors' code the image is clipped to the box, and the network is in training mode. A
    plan's iterations are optimizer steps, so that m replays show the training split m times less often.

    Attributes:
        epsilon: Radius of the perturbation in linf and length of its step, in pixel scale; at most 1.
        repeats: m, how often each batch is shown; at least 1.
    """

    title = "Free-AT"
    paper = "Shafahi et al. 2019, arXiv:1904.12843"
    watched = True
    epsilon: float
    repeats: int

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, repeats=self.repeats)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "FreeAT":
        return cls(info.inner_attack.epsilon, repeats=8)

    @property
    def replays(self) -> int:
        return self.repeats

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        perturbation = batch.carried.setdefault(PERTURBATION, torch.zeros_like(batch.images))
        # The gradient is taken at the clipped image: through the clipping, a pixel on the box's bound, such
        # as all of a black background, would have none.
        perturbed = batch.carried[PERTURBED] = (batch.images + perturbation).clamp(0, 1).requires_grad_(True)
        return batch.cross_entropy(defense.model(perturbed))

    def after_backward(self, defense: Defense, batch: TrainingBatch) -> None:
        gradient = batch.carried.pop(PERTURBED).grad
        if gradient is not None:
            moved = batch.carried[PERTURBATION] + self.epsilon * gradient.sign()
            batch.carried[PERTURBATION] = moved.clamp(-self.epsilon, self.epsilon)
