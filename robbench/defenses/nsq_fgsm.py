"""NSQ-FGSM: soft quantization, trained on noisy samples and FGSM samples together."""

from dataclasses import dataclass

from torch import Tensor, nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.option_ranges import check_noise, check_radius
from robbench.defenses.perturbation import ascend, linf_ball, summed_cross_entropy, uniform_noise
from robbench.defenses.registration import register_defense
from robbench.defenses.soft_quantization import SoftQuantization, quantized


@register_defense("nsq-fgsm")
@dataclass(frozen=True)
class NSQFGSM(DefenseRecipe):
    """A soft-quantization network whose noisy training samples are joined by FGSM samples.

    The outlook of the soft-quantization paper (section 6), which gives no details: here one FGSM sample of
    each image, made through the ``bpda`` view since the staircase itself is flat nearly everywhere, and the
    mean of the two cross-entropies.

    Attributes:
        levels: K, the steps of the staircase; at least 1.
        alpha: α, the slope of each step, for images in [0, 1]; positive.
        noise: Half-width of the noise, in pixel scale; from 0 to 1.
        epsilon: Length of the FGSM step, in pixel scale; above 0, at most 1.
    """

    title = "NSQ-FGSM"
    paper = "soft-quantization network with noisy and FGSM samples, outlook of the ICLR 2019 submission"
    watched = True
    levels: int
    alpha: float
    noise: float
    epsilon: float

    def __post_init__(self) -> None:
        SoftQuantization(self.levels, self.alpha)
        check_noise(self.title, self.noise)
        check_radius(self.title, self.epsilon)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "NSQFGSM":
        staircase = info.quantization
        return cls(staircase.levels, staircase.alpha, info.noise, info.inner_attack.epsilon)

    def wrap(self, network: nn.Module) -> Defense:
        return quantized(network, self.levels, self.alpha)

    def plan(self, info: DatasetInfo) -> TrainingPlan:
        return info.training

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        ball = linf_ball(batch.images, self.epsilon)
        attack = summed_cross_entropy(batch.labels)
        adversarial = ascend(defense.view("bpda"), batch.images, ball, attack, step_size=self.epsilon)
        noisy = (batch.images + uniform_noise(batch.images, self.noise, batch.generator)).clamp(0, 1)
        losses = [batch.cross_entropy(defense.model(images)) for images in (noisy, adversarial)]
        return (losses[0] + losses[1]) / 2
