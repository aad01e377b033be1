"""Normalization inside a network, so that every network takes images in [0, 1]."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from robbench.tensors import Images

CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_DEVIATION = (0.2470, 0.2435, 0.2616)


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


def cifar10_normalization(channels: int) -> Normalize:
    """CIFAR-10's own for colour images; images of another channel count are centred.

    Args:
        channels: Of the images.
    """
    if channels == len(CIFAR10_MEAN):
        return Normalize(CIFAR10_MEAN, CIFAR10_DEVIATION)
    return Normalize((0.5,) * channels, (0.25,) * channels)
