"""Recipes that change the training alone: the network stays as it is, the plan is the dataset's."""

from typing import final

from torch import nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.contract import Defense, DefenseRecipe


class PlainNetworkRecipe(DefenseRecipe):
    """What every recipe shares that adds nothing to the network."""

    @final
    def wrap(self, network: nn.Module) -> Defense:
        return Defense(network)

    @final
    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training
