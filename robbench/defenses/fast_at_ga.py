"""FAST-AT-GA: one gradient step, and input gradients that are aligned across the ball (GradAlign)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robbench.datasets import DatasetInfo
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_positive, check_radius
from robbench.defenses.perturbation import input_gradient, linf_ball, summed_cross_entropy, uniform_noise
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense
from robbench.tensors import Images


@register_defense("fast-at-ga")
@dataclass(frozen=True)
class FastATGA(PlainNetworkRecipe):
    """The basic network, trained on FGSM's images with a penalty on input gradients that differ in the ball.

    GradAlign: ℓ(x') + λ·(1 − cos(∇ℓ(x), ∇ℓ(x + η))), η ~ U(−ε, ε), x' an FGSM step from x. As in
    the authors' code the gradient at x is a constant of the penalty, which is thus differentiated through
    the gradient at x + η alone, and samples without a gradient are left out of it. The network is in training
    mode throughout.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        weight: λ; positive.
    """

    title = "FAST-AT-GA"
    paper = "Andriushchenko & Flammarion 2020, arXiv:2007.02617"
    watched = True
    epsilon: float
    weight: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, weight=self.weight)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "FastATGA":
        epsilon = info.inner_attack.epsilon
        return cls(epsilon, authors_weight(epsilon))

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        model, images, attack = defense.model, batch.images, summed_cross_entropy(batch.labels)
        noisy = images + uniform_noise(images, self.epsilon, batch.generator)
        at_image = input_gradient(model, images, attack)
        at_noisy = input_gradient(model, noisy, attack, create_graph=True)
        # The authors step 1.25ε and clip to ε, which from the image itself is a step of ε.
        adversarial = linf_ball(images, self.epsilon).project(images + self.epsilon * at_image.sign())
        return batch.cross_entropy(model(adversarial)) + self.weight * misalignment(at_image, at_noisy)


def authors_weight(epsilon: float) -> float:
    """λ as the authors chose it for CIFAR-10 from ε = 2/255 to 16/255, above which their last value stays.

    Their eight values lie on one line in the logarithm: 0.2 at 8/255, tenfold at twice that.
    """
    return 0.2 * 10 ** min(255 * epsilon / 8 - 1, 1)


def misalignment(gradients: Images, others: Images) -> Tensor:
    """The mean of 1 − cos between the gradients of each sample, 0 where no sample has both.

    A sample with a gradient of length 0 has no angle: it neither counts nor leaves a NaN behind.
    """
    flat, other = gradients.flatten(1), others.flatten(1)
    length, other_length = (torch.linalg.vector_norm(each, dim=1, keepdim=True) for each in (flat, other))
    counted = (length > 0) & (other_length > 0)
    # Divided by 1 where there is no length: a division by 0 would spoil the gradient even where it is unused.
    directions = flat / torch.where(counted, length, 1), other / torch.where(counted, other_length, 1)
    cosines = (directions[0] * directions[1]).sum(1, keepdim=True)
    return ((1 - cosines) * counted).sum() / counted.sum().clamp_min(1)
