"""How random a defense's forward pass is, on all samples of an audit."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from robbench.classifier import frozen, predict, seeded
from robbench.datasets import Dataset
from robbench.defenses.expectation import ROUNDING, spread_of
from robbench.spec import DRAWS
from robbench.tensors import Images, Logits
from robbench.torch_state import plain_torch


class Randomness(NamedTuple):
    """How far repeated evaluations of the same images differ."""

    evaluations: int
    changed: int
    """Samples whose class was not the same each time."""
    correct: int
    """Samples whose class is right in the mean of all evaluations."""
    spread: float
    """The largest difference of a logit, as a share of the logits' standard deviation."""

    @property
    def is_random(self) -> bool:
        """Whether the differences are more than rounding."""
        return self.spread > ROUNDING


@plain_torch()
def measure_randomness(model: nn.Module, dataset: Dataset, device: torch.device, seed: int) -> Randomness:
    """Classify the same images :data:`robbench.spec.DRAWS` times.

    Args:
        model: The classifier.
        dataset: All its samples are classified, in batches of 256.
        device: Where.
        seed: Seeds what the model draws; the evaluations draw one after another.
    """
    changed, correct, spread = 0, 0, 0.0
    with frozen(model.to(device)), seeded(seed, device):
        for indices in torch.arange(len(dataset)).split(256):
            samples = dataset.samples(indices)
            draws = _draws(model, samples.images.to(device))
            classes = draws.argmax(2)
            changed += int((classes != classes[0]).any(0).sum())
            mean = draws.log_softmax(2).logsumexp(0).argmax(1)
            correct += int((mean.cpu() == samples.labels).sum())
            spread = max(spread, spread_of(draws))
    return Randomness(DRAWS, changed, correct, round(spread, 6))


def _draws(model: nn.Module, images: Images) -> Tensor:
    """The logits of every evaluation: (evaluations, n, classes)."""
    logits: list[Logits] = [predict(model, images) for _ in range(DRAWS)]
    return torch.stack(logits)
