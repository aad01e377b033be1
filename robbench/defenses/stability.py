"""Stability training: cross-entropy on the images, and the same output for noisy ones."""

from dataclasses import dataclass

from torch import Tensor

from robbench.datasets import DatasetInfo
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.divergence import stable_cross_entropy
from robbench.defenses.option_ranges import check_noise, check_positive
from robbench.defenses.perturbation import uniform_noise
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense


@register_defense("stability")
@dataclass(frozen=True)
class Stability(PlainNetworkRecipe):
    """The basic network, trained on ℓ(x) + a·KL(p(x) ‖ p(x + noise)).

    The noise is NSQ's, uniform and clipped to the box, where the authors' is Gaussian: this defense is here
    because the soft-quantization paper (Remark 2) calls NSQ the same without the divergence.

    Attributes:
        noise: Half-width of the noise, in pixel scale; above 0, at most 1.
        weight: a, the weight of the divergence; positive.
    """

    title = "Stability"
    paper = "Zheng et al. 2016, arXiv:1604.04326"
    noise: float
    weight: float

    def __post_init__(self) -> None:
        check_positive(self.title, noise=self.noise, weight=self.weight)
        check_noise(self.title, self.noise)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "Stability":
        return cls(info.noise, weight=1.0)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        noisy = (batch.images + uniform_noise(batch.images, self.noise, batch.generator)).clamp(0, 1)
        return stable_cross_entropy(defense.model, batch, noisy, self.weight)
