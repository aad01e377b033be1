"""Binarize: a hard threshold in front of the network, natural training."""

from dataclasses import dataclass

from torch import Tensor, nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.registration import register_defense
from robbench.defenses.soft_quantization import GENTLE_SLOPE, SoftQuantization
from robbench.tensors import Images

THRESHOLD = 0.5


class Binarization(nn.Module):
    """1 where a pixel is above one half, else 0; it has no gradient."""

    def forward(self, images: Images) -> Images:
        return (images > THRESHOLD).to(images.dtype)


@register_defense("binarize")
@dataclass(frozen=True)
class Binarize(DefenseRecipe):
    """A network behind a hard threshold at 0.5 in every channel, trained on natural samples.

    Proposed for MNIST, whose pixels are nearly black or white. The views give attacks what the threshold
    takes away: ``bpda`` its identity, ``substitute`` no threshold, ``smooth`` a sigmoid around 0.5.
    """

    title = "Binarize"
    paper = "Tramèr et al. 2017, arXiv:1705.07204"

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "Binarize":
        return cls()

    def wrap(self, network: nn.Module) -> Defense:
        # Soft quantization of one level is a sigmoid around 0.5, the threshold's limit.
        return Defense(network, layer=Binarization(), smooth=SoftQuantization(1, GENTLE_SLOPE))

    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        return batch.cross_entropy(defense.model(batch.images))
