"""Normalization inside a network, so that every network takes images in [0, 1]."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from robbench.tensors import Images


class Normalize(nn.Module):
    """Subtracts a fixed mean and divides by a fixed deviation, per channel.

    Both are constants of the architecture, not weights: they are left out of the state dict.

    Args:
        mean: One number per channel.
        deviation: One positive number per channel.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Images) -> Images:
        return (images - self.mean) / self.deviation
