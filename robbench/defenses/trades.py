"""TRADES: cross-entropy on the images, and smooth outputs in the ball around them."""

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
from robbench.tensors import Images

START_DEVIATION = 0.001
"""At x itself the divergence is at its minimum, where it has no gradient: the steps start just beside."""


@register_defense("trades")
@dataclass(frozen=True)
class TRADES(PlainNetworkRecipe):
    """The basic network, trained on ℓ(x) + β·KL(p(x) ‖ p(x')), x' being where that KL is large.

    Algorithm 1 of the paper: x' takes steps up the divergence, in eval mode as in the authors' code; the
    objective is in training mode, with a gradient through both outputs.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        steps: Its iterations; at least 1.
        step_size: Length of one, in pixel scale; positive.
        beta: β, the weight of the divergence; positive.
    """

    title = "TRADES"
    paper = "Zhang et al. 2019, arXiv:1901.08573"
    epsilon: float
    steps: int
    step_size: float
    beta: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, steps=self.steps, step_size=self.step_size, beta=self.beta)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "TRADES":
        epsilon = info.inner_attack.epsilon
        return cls(epsilon, steps=10, step_size=epsilon / 4, beta=6.0)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        adversarial = self._perturb(defense.model, batch.images, batch.generator)
        return stable_cross_entropy(defense.model, batch, adversarial, self.beta)

    def _perturb(self, model: nn.Module, images: Images, generator: torch.Generator) -> Images:
        ball = linf_ball(images, self.epsilon)
        noise = torch.randn(images.shape, generator=generator, device=images.device, dtype=images.dtype)
        start = ball.project(images + START_DEVIATION * noise)
        with eval_mode(model):
            target = model(images).detach()
            return ascend(
                model,
                start,
                ball,
                lambda logits: divergence(target, logits).sum(),
                step_size=self.step_size,
                steps=self.steps,
            )
