"""FAST-BAT: adversarial training as two levels of optimisation, the inner one linearised."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robbench.datasets import DatasetInfo
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_positive, check_radius
from robbench.defenses.perturbation import (
    SummedLoss,
    input_gradient,
    linf_ball,
    summed_cross_entropy,
    uniform_noise,
)
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense
from robbench.tensors import Images
from robbench.threat import Ball

INTERIOR_MARGIN = 1e-7


class LowerLevel(NamedTuple):
    """The solution of the inner problem, with what its derivative in the weights needs."""

    adversarial: Images
    """x + δ*, without a graph."""
    gradient: Images
    """∇ℓ at the point of linearisation, with its graph in the weights."""


@register_defense("fast-bat")
@dataclass(frozen=True)
class FastBAT(PlainNetworkRecipe):
    """The basic network, trained on two unsigned steps, with the implicit gradient of the second.

    The inner problem is linearised at z = Π(z0 + s·∇ℓ(z0)), z0 uniform in the ball; its solution is
    x + δ* = Π(z + s·∇ℓ(z)). How δ* moves with the weights adds (1/λ)·∇_θ ⟨∇ℓ(z), H ⊙ ∇ℓ(x + δ*)⟩ / n to the
    gradient of the mean ℓ(x + δ*), H being 1 where δ* is strictly inside its bounds. By the derivation 1/λ
    is s; the authors' code weighs it apart, with λ = 10. The network is in training mode, as there.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        step_size: s, by which the gradient of each sample's loss is multiplied; positive.
        regularization: λ, the weight of the inner problem's quadratic term; positive.
    """

    title = "FAST-BAT"
    paper = "Zhang et al. 2022, arXiv:2112.12376"
    watched = True
    epsilon: float
    step_size: float
    regularization: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, step_size=self.step_size, regularization=self.regularization)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "FastBAT":
        epsilon = info.inner_attack.epsilon
        return cls(epsilon, authors_step(epsilon), regularization=10.0)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        model, attack = defense.model, summed_cross_entropy(batch.labels)
        ball = linf_ball(batch.images, self.epsilon)
        noisy = ball.project(batch.images + uniform_noise(batch.images, self.epsilon, batch.generator))
        point = ball.project(noisy + self.step_size * input_gradient(model, noisy, attack))
        lower = solve_lower_level(model, point, ball, attack, self.step_size)
        adversarial = lower.adversarial.requires_grad_(True)
        logits = model(adversarial)
        (upper,) = torch.autograd.grad(
            batch.cross_entropy(logits, reduction="sum"), adversarial, retain_graph=True
        )
        implicit = implicit_term(lower, upper, ball) / (self.regularization * len(batch.images))
        # Less its own value: the term has the gradient that is wanted, and the loss stays the loss.
        return batch.cross_entropy(logits) + (implicit - implicit.detach())


def authors_step(epsilon: float) -> float:
    """The step s that the paper uses on CIFAR-10: 5000/255 up to ε = 8/255, 2000/255 above."""
    return 5000 / 255 if epsilon <= 8 / 255 else 2000 / 255


def solve_lower_level(
    model: nn.Module, point: Images, ball: Ball, attack: SummedLoss, step_size: float
) -> LowerLevel:
    """The worst images by the loss linearised at a point: Π(z + s·∇ℓ(z)).

    Args:
        model: The classifier.
        point: z, without a graph.
        ball: The bounds.
        attack: ℓ, summed over the samples.
        step_size: s.
    """
    gradient = input_gradient(model, point, attack, create_graph=True)
    return LowerLevel(ball.project(point + step_size * gradient.detach()), gradient)


def implicit_term(lower: LowerLevel, upper: Images, ball: Ball) -> Tensor:
    """⟨∇ℓ(z), H ⊙ g⟩, a scalar whose gradient in the weights is the implicit one times λ.

    Args:
        lower: The solution of the inner problem.
        upper: g, the gradient of the outer loss at that solution.
        ball: The bounds; H is 1 where the solution is strictly inside them.
    """
    radius = ball.epsilon.view(-1, 1, 1, 1)
    low, high = (ball.centers - radius).clamp_min(0), (ball.centers + radius).clamp_max(1)
    solution = lower.adversarial.detach()
    interior = (solution > low + INTERIOR_MARGIN) & (solution < high - INTERIOR_MARGIN)
    return (lower.gradient * (interior * upper.detach())).sum()
