"""Randomized defenses: how random a forward pass is, and a classifier that averages several."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robbench.classifier import frozen, predict, seeded
from robbench.datasets import Dataset
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense
from robbench.tensors import Images, Logits
from robbench.torch_state import plain_torch

EVALUATIONS = 10
"""Forward passes that are averaged."""
ROUNDING = 1e-3
"""Share of the logits' standard deviation below which two evaluations differ by the order of sums alone."""


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


class Expectation(nn.Module):
    """The expectation over a classifier's randomness: the mean class probabilities of several evaluations.

    Its class is a soft majority vote and its gradient that of EOT (Athalye et al. 2018, arXiv:1802.00420),
    so one module both attacks and scores a randomized defense. A vote, because a defense is asked once when
    it is used: to count any lucky draw of many as a success would overstate an attack, and to ask for all
    draws would overstate the defense.

    Args:
        model: The classifier; every call draws anew.
        evaluations: How many calls are averaged.
    """

    def __init__(self, model: nn.Module, evaluations: int = EVALUATIONS) -> None:
        super().__init__()
        self.model = model
        self.evaluations = evaluations

    def forward(self, images: Tensor) -> Tensor:
        draws = torch.stack([self.model(images).log_softmax(1) for _ in range(self.evaluations)])
        return draws.logsumexp(0)


@plain_torch()
def measure_randomness(model: nn.Module, dataset: Dataset, device: torch.device, seed: int) -> Randomness:
    """Classify the same images several times.

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
            scale = draws[0].std().clamp_min(1e-12)
            spread = max(spread, float(((draws.amax(0) - draws.amin(0)).max() / scale).nan_to_num()))
    return Randomness(EVALUATIONS, changed, correct, round(spread, 6))


def _draws(model: nn.Module, images: Images) -> Tensor:
    """The logits of every evaluation: (evaluations, n, classes)."""
    logits: list[Logits] = [predict(model, images) for _ in range(EVALUATIONS)]
    return torch.stack(logits)


def averaged(loaded: LoadedDefense) -> LoadedDefense:
    """A defense whose every view is averaged over :data:`EVALUATIONS` draws."""
    views = {view: Expectation(loaded.defense.view(view)) for view in loaded.defense.views}
    return replace(
        loaded,
        defense=Defense(views.pop("exact"), views=views),
        weights_sha256=f"{loaded.weights_sha256} averaged over {EVALUATIONS}",
    )
