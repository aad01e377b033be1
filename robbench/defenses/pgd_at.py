"""PGD-AT: adversarial training with projected gradient descent."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.registration import register_defense
from robbench.errors import UserError
from robbench.tensors import Images, Labels
from robbench.threat import Ball, Linf


@register_defense("pgd-at")
@dataclass(frozen=True)
class PGDAT(DefenseRecipe):
    """The basic network, trained on PGD's adversarial images of each batch.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        steps: Its iterations; at least 1.
        step_size: Length of one, in pixel scale; positive.
    """

    title = "PGD-AT"
    paper = "Madry et al. 2018, arXiv:1706.06083"
    epsilon: float
    steps: int
    step_size: float

    def __post_init__(self) -> None:
        if not 0 < self.epsilon <= 1:
            raise UserError(
                f"PGD-AT's epsilon lies above 0 and at most at 1 in pixel scale, not at {self.epsilon}."
            )
        if self.steps < 1 or not 0 < self.step_size <= 1:
            raise UserError(
                f"PGD-AT takes 1 step or more, each up to 1 long, not {self.steps} of {self.step_size}."
            )

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "PGDAT":
        inner = info.inner_attack
        return cls(inner.epsilon, inner.steps, inner.step_size)

    def wrap(self, network: nn.Module) -> Defense:
        return Defense(network)

    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        adversarial = self._perturb(defense.model, batch.images, batch.labels, batch.generator)
        return batch.cross_entropy(defense.model(adversarial))

    def _perturb(
        self, model: nn.Module, images: Images, labels: Labels, generator: torch.Generator
    ) -> Images:
        """The last iterate of PGD from a uniform point of the ball, with the model in its training mode."""
        ball = Ball(images, images.new_full((len(images),), self.epsilon), Linf())
        noise = torch.rand(images.shape, generator=generator, device=images.device)
        iterate = ball.project(images + self.epsilon * (2 * noise - 1))
        for _ in range(self.steps):
            iterate.requires_grad_(True)
            loss = functional.cross_entropy(model(iterate), labels)
            # autograd.grad visits only what leads to the images: no weight gradient is computed or kept.
            (gradient,) = torch.autograd.grad(loss, iterate)
            iterate = ball.project(iterate.detach() + self.step_size * gradient.sign())
        return iterate
