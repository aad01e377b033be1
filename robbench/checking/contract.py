"""What a check is given and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from robbench.classifier import CountedModel, PassCounter, predict, seeded
from robbench.datasets import Samples
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense
from robbench.tensors import Images, Labels, Logits, PerSample

Result = Literal["pass", "warning", "failure", "skipped"]

FEW = 32
"""Samples for what is costly: gradients, and looking twice."""
_BATCH = 64


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        result: ``failure``: a benchmark of this would be wrong or impossible. ``warning``: it would be less
            than it seems. ``skipped``: the check does not apply here.
        found: The number and what it means, in a sentence.
        advice: What to do about it; empty where nothing need be done.
    """

    result: Result
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Subject:
    """A defense under examination: in eval mode, frozen, on the device.

    Attributes:
        loaded: The defense.
        samples: Real samples, on the device.
        classes: The number of classes of the labels.
        device: Where it is examined.
        rebuild: Builds the defense again.
    """

    loaded: LoadedDefense
    samples: Samples
    classes: int
    device: torch.device
    rebuild: Callable[[], LoadedDefense]

    @property
    def defense(self) -> Defense:
        """The classifier and its views."""
        return self.loaded.defense

    @property
    def few(self) -> Samples:
        """Copies of the first samples."""
        images, labels, ids = self.samples
        return Samples(images[:FEW].clone(), labels[:FEW], ids[:FEW])

    def logits(self, images: Images, view: str = "exact", seed: int = 0) -> Logits:
        """What a view answers to copies of images, whatever it draws being drawn from a seed."""
        model = self.defense.view(view)
        with seeded(seed, self.device):
            return torch.cat([predict(model, part.clone()) for part in images.split(_BATCH)])

    def correct(self, images: Images) -> Tensor:
        """Which of the samples are classified correctly when shown as ``images``: (n,) of bool."""
        return self.logits(images).argmax(1) == self.samples.labels

    def gradient(self, view: str, loss: Callable[[Logits, Labels], PerSample]) -> Images:
        """The gradient of a loss in the first samples' pixels, through a view; zero where there is none."""
        images = self.few.images.clone().requires_grad_(True)
        model = CountedModel(self.defense.view(view), PassCounter())
        with seeded(0, self.device):
            (gradient,) = torch.autograd.grad(loss(model(images), self.few.labels).sum(), images)
        return gradient
