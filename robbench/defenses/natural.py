"""No defense: a network trained on unperturbed images."""

from dataclasses import dataclass

from torch import Tensor, nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.registration import register_defense


@register_defense("natural")
@dataclass(frozen=True)
class Natural(DefenseRecipe):
    """The basic network, trained on natural samples: what every defense is measured against."""

    title = "Natural"
    paper = "the undefended baseline"

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "Natural":
        return cls()

    def wrap(self, network: nn.Module) -> Defense:
        return Defense(network)

    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        return batch.cross_entropy(defense.model(batch.images))
