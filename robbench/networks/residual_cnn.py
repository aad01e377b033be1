"""The CIFAR-10 network: five residual units and one linear layer, at any width."""

from torch import nn

from robbench.networks.pre_activation import UnitShape, pre_activation_network
from robbench.networks.registration import register_network

WIDTH = 64


def residual_network(shape: tuple[int, int, int], classes: int, width: int) -> nn.Module:
    """A convolution, five residual units and a linear layer on the pooled features.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
        width: Channels of the first unit; each halving of height and width doubles them.
    """
    units = (
        UnitShape(width),
        UnitShape(2 * width, stride=2),
        UnitShape(2 * width),
        UnitShape(4 * width, stride=2),
        UnitShape(4 * width),
    )
    return pre_activation_network(shape[0], classes, width, units)


@register_network("residual_cnn")
def residual_cnn(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Five residual units of 64 to 256 channels.

    The soft-quantization paper gives the five units and the linear layer and no widths; these are ours.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
    """
    return residual_network(shape, classes, WIDTH)
