"""The machine's limit: how often per second the bare network gives an input gradient, with nothing else."""

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.classifier import channels_last, frozen, takes_channels_last
from robbench.datasets import Dataset
from robbench.devices import arithmetic, is_out_of_memory
from robbench.torch_state import plain_torch

SECONDS = 0.3
"""How long one batch size is measured, at least."""
SMALLEST_BATCH = 16
LARGEST_BATCH = {"cpu": 4096, "cuda": 32768}
_PATIENCE = 2
"""Doublings of the batch without a gain after which the search for the best one ends."""


class Limit(NamedTuple):
    """What the bare network reaches."""

    passes_per_second: int | float
    """Forward-and-backward sample-passes per second of :func:`work_clock`."""
    batch_size: int
    """The batch at which it reaches that."""
    channels_last: bool
    """Whether images and weights are then laid out channels last."""


@dataclass(frozen=True)
class BareNetwork:
    """A network with frozen weights, and images to differentiate it on.

    Attributes:
        model: The classifier, on ``device``.
        dataset: Its first images are used, repeated where a batch is larger.
        device: Where it runs.
        precision: ``float32``, or ``bfloat16`` where the engine takes its steps in that.
    """

    model: nn.Module
    dataset: Dataset
    device: torch.device
    precision: str = "float32"

    def best(self) -> Limit:
        """The fastest batch size of the fastest layout."""
        plain = self.best_batch(channels_last=False)
        few = self.dataset.samples(torch.arange(1)).images.to(self.device)
        if not takes_channels_last(self.model, few):
            return plain
        return max(plain, self.best_batch(channels_last=True))

    def best_batch(self, *, channels_last: bool) -> Limit:
        """Double the batch for as long as that pays, or memory lasts; the fastest one."""
        best, without_gain, size = Limit(0, SMALLEST_BATCH, channels_last), 0, SMALLEST_BATCH
        while size <= LARGEST_BATCH[self.device.type] and without_gain < _PATIENCE:
            try:
                measured = self.measure(best._replace(batch_size=size))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                break
            without_gain = 0 if measured > best else without_gain + 1
            best = max(best, measured)
            size *= 2
        return best

    def measure(self, like: Limit) -> Limit:
        """How fast it is at the batch size and in the layout of ``like``, after one pass to warm up."""
        samples = self.dataset.samples(torch.arange(like.batch_size) % len(self.dataset))
        layout = torch.channels_last if like.channels_last else torch.contiguous_format
        images = samples.images.to(self.device, memory_format=layout)
        labels = samples.labels.to(self.device)
        laid_out = channels_last(self.model) if like.channels_last else nullcontext()
        with frozen(self.model), laid_out, plain_torch():
            self._differentiate(images, labels)
            began, calls = work_clock(self.device), 0
            while (elapsed := work_clock(self.device) - began) < SECONDS or not calls:
                self._differentiate(images, labels)
                calls += 1
        return like._replace(passes_per_second=like.batch_size * calls / elapsed)

    def _differentiate(self, images: Tensor, labels: Tensor) -> None:
        images = images.detach().requires_grad_()
        with arithmetic(self.device, self.precision):
            logits = self.model(images).float()
        if logits.requires_grad:
            torch.autograd.grad(functional.cross_entropy(logits, labels, reduction="sum"), images)


def clock(device: torch.device) -> float:
    """Seconds, once the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def work_clock(device: torch.device) -> float:
    """Seconds worked: on a CPU those of this process, all threads together, which no other program lengthens.

    A GPU is measured by :func:`clock`.
    """
    return clock(device) if device.type == "cuda" else time.process_time()
