"""FGSM-AT: adversarial training with one gradient step from the image itself."""

from dataclasses import dataclass

from torch import Tensor

from robbench.datasets import DatasetInfo
from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import Defense
from robbench.defenses.option_ranges import check_radius
from robbench.defenses.perturbation import ascend, linf_ball, summed_cross_entropy
from robbench.defenses.plain_network import PlainNetworkRecipe
from robbench.defenses.registration import register_defense


@register_defense("fgsm-at")
@dataclass(frozen=True)
class FGSMAT(PlainNetworkRecipe):
    """The basic network, trained on x + ε·sign ∇ℓ(x): cheap, and known to collapse.

    Attributes:
        epsilon: Radius of the inner attack in linf, in pixel scale; above 0, at most 1.
    """

    title = "FGSM-AT"
    paper = "Goodfellow et al. 2014, arXiv:1412.6572"
    watched = True
    epsilon: float

    def __post_init__(self) -> None:
        check_radius(self.title, self.epsilon)

    @classmethod
    def for_dataset(cls, info: DatasetInfo) -> "FGSMAT":
        return cls(info.inner_attack.epsilon)

    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        ball = linf_ball(batch.images, self.epsilon)
        attack = summed_cross_entropy(batch.labels)
        adversarial = ascend(defense.model, batch.images, ball, attack, step_size=self.epsilon)
        return batch.cross_entropy(defense.model(adversarial))
