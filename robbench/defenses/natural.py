"""No defense: a network trained on unperturbed images."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.registration import register_defense
from robbench.tensors import Images, Labels


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

    def loss(self, defense: Defense, images: Images, labels: Labels, generator: torch.Generator) -> Tensor:
        return functional.cross_entropy(defense.model(images), labels)
