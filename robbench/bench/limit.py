"""The machine's limit: how often per second the bare network gives an input gradient, with nothing else."""

import time
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.classifier import frozen
from robbench.datasets import Dataset
from robbench.executors.local import full_precision

SMALLEST_BATCH = 16
LARGEST_BATCH = {"cpu": 4096, "cuda": 32768}
_PATIENCE = 2
"""Doublings of the batch without a gain after which the search for the best one ends."""


class Limit(NamedTuple):
    """What the bare network reaches."""

    passes_per_second: float
    """Forward-and-backward sample-passes per second."""
    batch_size: int
    """The batch at which it reaches that."""


@dataclass(frozen=True)
class BareNetwork:
    """A network with frozen weights, and images to differentiate it on.

    Attributes:
        model: The classifier, on ``device``.
        dataset: Its first images are used, repeated where a batch is larger.
        device: Where it runs.
        seconds: How long one batch size is measured, at least.
    """

    model: nn.Module
    dataset: Dataset
    device: torch.device
    seconds: float = 0.3

    def best(self) -> Limit:
        """Double the batch for as long as that pays, or memory lasts; the fastest one."""
        best, without_gain, size = Limit(0.0, SMALLEST_BATCH), 0, SMALLEST_BATCH
        while size <= LARGEST_BATCH[self.device.type] and without_gain < _PATIENCE:
            try:
                rate = self.rate(size)
            except torch.OutOfMemoryError:
                break
            without_gain = 0 if rate > best.passes_per_second else without_gain + 1
            best = max(best, Limit(rate, size))
            size *= 2
        return best

    def rate(self, batch_size: int) -> float:
        """Forward-and-backward sample-passes per second at one batch size, after one pass to warm up."""
        indices = torch.arange(batch_size) % len(self.dataset)
        samples = self.dataset.samples(indices)
        images, labels = samples.images.to(self.device), samples.labels.to(self.device)
        with frozen(self.model), full_precision():
            _differentiate(self.model, images, labels)
            began, calls = clock(self.device), 0
            while (elapsed := clock(self.device) - began) < self.seconds or not calls:
                _differentiate(self.model, images, labels)
                calls += 1
        return batch_size * calls / elapsed


def clock(device: torch.device) -> float:
    """Seconds, once the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _differentiate(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    images = images.detach().requires_grad_()
    logits = model(images)
    if logits.requires_grad:
        torch.autograd.grad(functional.cross_entropy(logits, labels, reduction="sum"), images)
