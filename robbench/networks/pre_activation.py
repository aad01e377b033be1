"""Residual networks of pre-activation units, for small images."""

from collections.abc import Iterable
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from robbench.networks.normalization import cifar10_normalization


class UnitShape(NamedTuple):
    """The shape of one unit."""

    outputs: int
    """Channels that go out."""
    stride: int = 1
    """Of the first convolution; 2 halves height and width."""


class PreActivationUnit(nn.Module):
    """BN-ReLU-conv twice, added to the input (He et al. 2016, arXiv:1603.05027, figure 1b).

    Where the shape changes, the shortcut is a 1 × 1 convolution of the input, not of the activated input.

    Args:
        inputs: Channels that come in.
        shape: What goes out.
    """

    def __init__(self, inputs: int, shape: UnitShape) -> None:
        super().__init__()
        outputs, stride = shape
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, kernel_size=3, padding=1, bias=False)
        self.shortcut = (
            None
            if inputs == outputs and stride == 1
            else nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)
        )

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.conv1(functional.relu(self.norm1(features)))
        hidden = self.conv2(functional.relu(self.norm2(hidden)))
        return hidden + (features if self.shortcut is None else self.shortcut(features))


def pre_activation_network(
    channels: int, classes: int, width: int, units: Iterable[UnitShape]
) -> nn.Sequential:
    """A convolution, some units, BN and ReLU, and a linear layer on the pooled features.

    The normalization is that of CIFAR-10, inside the network; images of another channel count are centred.

    Args:
        channels: Of the images.
        classes: The number of logits.
        width: Channels of the first convolution.
        units: The units, in order.
    """
    layers: list[nn.Module] = [
        cifar10_normalization(channels),
        nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False),
    ]
    for unit in units:
        layers.append(PreActivationUnit(width, unit))
        width = unit.outputs
    pooled = [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, *pooled, nn.Linear(width, classes))
