"""SQ: a soft-quantization layer in front of the network, natural training."""

from dataclasses import dataclass

from torch import Tensor, nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.registration import register_defense
from robbench.defenses.soft_quantization import SoftQuantization, quantized


@register_defense("sq")
@dataclass(frozen=True)
class SQ(DefenseRecipe):
    """A soft-quantization network trained on natural samples.

    Attributes:
        levels: K, the steps of the staircase; at least 1.
        alpha: α, the slope of each step, for images in [0, 1]; positive.
    """

    title = "SQ"
    paper = "soft-quantization network, ICLR 2019 submission"
    levels: int
    alpha: float

    def __post_init__(self) -> None:
        SoftQuantization(self.levels, self.alpha)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "SQ":
        return cls(info.quantization.levels, info.quantization.alpha)

    def wrap(self, network: nn.Module) -> Defense:
        return quantized(network, self.levels, self.alpha)

    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        return batch.cross_entropy(defense.model(batch.images))
