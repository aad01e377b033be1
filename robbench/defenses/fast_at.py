"""FAST-AT: adversarial training with one gradient step from a random point (FGSM-RS)."""

from dataclasses import dataclass

from torch import Tensor

from robbench.datasets import DatasetInfo, InnerAttack
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_positive, check_radius
from robbench.defenses.perturbation import pgd
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense

RELATIVE_STEP = 1.25


@register_defense("fast-at")
@dataclass(frozen=True)
class FastAT(PlainNetworkRecipe):
    """The basic network, trained on one long FGSM step from a uniform point of the ball.

    Algorithm 3 of the paper: δ ~ U(−ε, ε), then x' = Π(x + δ + α·sign ∇ℓ(x + δ)) with α = 1.25ε. The network
    is in training mode throughout, as in the authors' code.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        step_size: α, in pixel scale; positive.
    """

    title = "FAST-AT"
    paper = "Wong et al. 2020, arXiv:2001.03994"
    watched = True
    epsilon: float
    step_size: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, step_size=self.step_size)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "FastAT":
        epsilon = info.inner_attack.epsilon
        return cls(epsilon, RELATIVE_STEP * epsilon)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        adversarial = pgd(defense.model, batch, InnerAttack(self.epsilon, 1, self.step_size))
        return batch.cross_entropy(defense.model(adversarial))
