"""NSQ: a soft-quantization layer in front of the network, training on noisy natural samples."""

from dataclasses import dataclass

from torch import Tensor, nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.option_ranges import check_noise
from robbench.defenses.perturbation import uniform_noise
from robbench.defenses.registration import register_defense
from robbench.defenses.soft_quantization import SoftQuantization, quantized


@register_defense("nsq")
@dataclass(frozen=True)
class NSQ(DefenseRecipe):
    """A soft-quantization network trained on natural samples with uniform noise.

    Attributes:
        levels: K, the steps of the staircase; at least 1.
        alpha: α, the slope of each step, for images in [0, 1]; positive.
        noise: Half-width of the noise, in pixel scale; from 0 to 1.
    """

    title = "NSQ"
    paper = "soft-quantization network with noisy-natural samples, ICLR 2019 submission"
    levels: int
    alpha: float
    noise: float

    def __post_init__(self) -> None:
        SoftQuantization(self.levels, self.alpha)
        check_noise(self.title, self.noise)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "NSQ":
        return cls(info.quantization.levels, info.quantization.alpha, info.noise)

    def wrap(self, network: nn.Module) -> Defense:
        return quantized(network, self.levels, self.alpha)

    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        # The paper does not say whether it clips. Attacked images lie in the box, so noisy ones should too;
        # outside it a steep staircase is flat, so clipping hardly changes what the network sees.
        noisy = (batch.images + uniform_noise(batch.images, self.noise, batch.generator)).clamp(0, 1)
        return batch.cross_entropy(defense.model(noisy))
