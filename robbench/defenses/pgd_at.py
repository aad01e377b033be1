"""PGD-AT: adversarial training with projected gradient descent."""

from dataclasses import dataclass

from torch import Tensor

from robbench.datasets import DatasetInfo, InnerAttack
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_radius
from robbench.defenses.perturbation import pgd
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense
from robbench.errors import UserError


@register_defense("pgd-at")
@dataclass(frozen=True)
class PGDAT(PlainNetworkRecipe):
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
        check_radius(self.title, self.epsilon)
        if self.steps < 1 or not 0 < self.step_size <= 1:
            raise UserError(
                f"PGD-AT takes 1 step or more, each up to 1 long, not {self.steps} of {self.step_size}."
            )

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "PGDAT":
        inner = info.inner_attack
        return cls(inner.epsilon, inner.steps, inner.step_size)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        adversarial = pgd(defense.model, batch, InnerAttack(self.epsilon, self.steps, self.step_size))
        return batch.cross_entropy(defense.model(adversarial))
