"""PGD-2-AT: adversarial training with two steps of projected gradient descent."""

from dataclasses import dataclass

from torch import Tensor

from robbench.datasets import DatasetInfo, InnerAttack
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_positive, check_radius
from robbench.defenses.perturbation import pgd
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense

STEPS = 2


@register_defense("pgd2-at")
@dataclass(frozen=True)
class PGD2AT(PlainNetworkRecipe):
    """The basic network, trained on two steps of ε/2 from a uniform point of the ball.

    The cheapest PGD-AT that is no single-step method; the baseline of Andriushchenko & Flammarion 2020.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
        step_size: Length of either step, in pixel scale; positive.
    """

    title = "PGD-2-AT"
    paper = "Madry et al. 2018, arXiv:1706.06083; two steps as in arXiv:2007.02617"
    epsilon: float
    step_size: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)
        check_positive(self.title, step_size=self.step_size)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "PGD2AT":
        epsilon = info.inner_attack.epsilon
        return cls(epsilon, epsilon / 2)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        adversarial = pgd(defense.model, batch, InnerAttack(self.epsilon, STEPS, self.step_size))
        return batch.cross_entropy(defense.model(adversarial))
