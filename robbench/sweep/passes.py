"""Passes that fit in memory: in parts of so many samples, which are fewer for good once memory ran out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from robbench.classifier import lay_out
from robbench.devices import is_out_of_memory

T = TypeVar("T")


SIZES_PER_DOUBLING = 8
"""A pass is filled up to one of so many sizes between a power of two and the next: by 4 % on average."""


def filled_size(samples: int) -> int:
    """The size, one of a few, to which a pass of so many samples is filled up.

    A convolution is prepared anew for every size of a batch that it meets, and what it prepares is kept.
    While a batch drained, that took 3 to 15 ms a size on a CPU, beside 5 to 60 for a pass of a small network.
    """
    step = 2 ** max(0, (samples - 1).bit_length() - 1) // SIZES_PER_DOUBLING
    return samples if step <= 1 else -(-samples // step) * step


@dataclass
class PassSize:
    """How many samples one pass holds; everything that makes passes of a job shares one.

    Attributes:
        largest: Samples in one pass, at most; halved for good when memory runs out.
        fills: Whether a pass is filled up to one of a few sizes (:func:`filled_size`) by copies of its first
            images, whose answers are dropped: not where an image's answer depends on the others.
    """

    largest: int
    fills: bool = False

    def missing(self, samples: int) -> int:
        """How many images a pass of so many samples is filled up with; never more than there are."""
        return min(filled_size(samples), self.largest) - samples if self.fills else 0

    def retrying(self, compute: Callable[[], T], samples: int) -> T:
        """Compute; where memory runs out, halve the size and compute again, unless it was one sample.

        Args:
            compute: Makes passes.
            samples: How many it is about: a larger size is no cause of what ran out.
        """
        while True:
            try:
                return compute()
            except RuntimeError as error:
                if not is_out_of_memory(error) or self.largest == 1:
                    raise
                self.largest = (min(self.largest, samples) + 1) // 2

    def in_parts(self, compute: Callable[..., tuple[Tensor, ...]], *batch: Tensor) -> tuple[Tensor, ...]:
        """Compute on a batch, part by part; a part for which memory runs out is made again, smaller.

        Args:
            compute: Given so many samples of each tensor of the batch; what it returns has a row for each.
            *batch: Tensors with one row per sample.

        Returns:
            As if it had been computed at once.
        """
        parts, rest = [], batch
        while not parts or rest:
            part, rest = self.retrying(partial(self._first, compute, rest), len(rest[0]))
            parts.append(part)
        return parts[0] if len(parts) == 1 else tuple(map(torch.cat, zip(*parts, strict=True)))

    def _first(
        self, compute: Callable[..., tuple[Tensor, ...]], batch: tuple[Tensor, ...]
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """What is computed of the first part of a batch, and the rest of it: empty after the last."""
        size = self.largest
        if len(batch[0]) <= size:
            return compute(*batch), ()
        return compute(*(column[:size] for column in batch)), tuple(column[size:] for column in batch)


class PartedModel(nn.Module):
    """A model that is asked for no more samples at once than one pass holds, however many are given to it.

    So a library attacks its whole block together, on which its random numbers depend, in the memory of one
    part. Where gradients of several parts are wanted, nothing is kept for the backward pass: there each part
    is computed anew when its turn comes (Chen et al. 2016, arXiv:1604.06174). That is a forward pass more; it
    is charged to no sample, as rows must not depend on the size of the parts. Answers are copied: a model may
    write every one into the same memory, and the next part would overwrite it.

    Args:
        model: Any classifier of images.
        size: How many samples one pass holds.
    """

    def __init__(self, model: nn.Module, size: PassSize) -> None:
        super().__init__()
        self.model = model
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        def logits(part: Tensor) -> tuple[Tensor]:
            if part is images or not part.requires_grad:
                return (self._answer(part).clone(),)
            return (checkpoint(self._answer, part, use_reentrant=False).clone(),)

        return self.size.in_parts(logits, images)[0]

    def _answer(self, part: Tensor) -> Tensor:
        missing = self.size.missing(len(part))
        if not missing:
            return self.model(part)
        filled = torch.cat([part, part[:missing].detach()])
        if part.stride(1) == 1:  # a concatenation of images of a single channel forgets that
            filled = lay_out(filled, torch.channels_last)
        return self.model(filled)[: len(part)]
