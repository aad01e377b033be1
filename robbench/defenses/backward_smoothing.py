"""Backward Smoothing: TRADES with two single steps, the first led by noise on the output."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from robbench.datasets import DatasetInfo
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.divergence import divergence, stable_cross_entropy
from robbench.defenses.option_ranges import check_positive, check_radius
from robbench.defenses.perturbation import ascend, eval_mode, linf_ball
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense
from robbench.tensors import Images, Logits


@register_defense("backward-smoothing")
@dataclass(frozen=True)
class BackwardSmoothing(PlainNetworkRecipe):
    """The basic network, trained on TRADES's objective with two single steps inside.

    With q the output under uniform noise on its logits, the first step moves the image so that the output
    goes towards q, the second away from p(x). Both are in eval mode, as in the authors' code; the objective
    ℓ(x) + β·KL(p(x) ‖ p(x')) is in training mode, with a gradient through both outputs.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        step_size: α, the length of either step, in pixel scale; positive.
        gamma: γ, the half-width of the noise on the logits; positive.
        beta: β, the weight of the divergence; positive.
    """

    title = "Backward Smoothing"
    paper = "Chen et al. 2022, arXiv:2010.01278"
    watched = True
    epsilon: float
    step_size: float
    gamma: float
    beta: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, step_size=self.step_size, gamma=self.gamma, beta=self.beta)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "BackwardSmoothing":
        epsilon = info.inner_attack.epsilon
        # The weight of the authors' example command; their default is 6.
        return cls(epsilon, step_size=epsilon, gamma=1.0, beta=10.0)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        adversarial = self._perturb(defense.model, batch.images, batch.generator)
        return stable_cross_entropy(defense.model, batch, adversarial, self.beta)

    def _perturb(self, model: nn.Module, images: Images, generator: torch.Generator) -> Images:
        with eval_mode(model):
            target = model(images).detach()
            start = self._follow(model, images, self._disturb(target, generator))
            return ascend(
                model,
                start,
                linf_ball(images, self.epsilon),
                lambda logits: divergence(target, logits).sum(),
                step_size=self.step_size,
            )

    def _disturb(self, logits: Logits, generator: torch.Generator) -> Logits:
        dtype = torch.promote_types(logits.dtype, torch.float32)
        noise = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=dtype)
        return logits + self.gamma * (2 * noise - 1)

    def _follow(self, model: nn.Module, images: Images, disturbed: Logits) -> Images:
        """One step from the images that brings the output towards the disturbed one."""
        return ascend(
            model,
            images,
            linf_ball(images, self.epsilon),
            lambda logits: -divergence(disturbed, logits).sum(),
            step_size=self.step_size,
        )
