"""The CIFAR-10 network at a quarter of its width, for machines without a GPU."""

from torch import nn

from robbench.networks.registration import register_network
from robbench.networks.residual_cnn import residual_network

WIDTH = 16


@register_network("residual_cnn_16")
def residual_cnn_16(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Five residual units of 16 to 64 channels: a sixteenth of the arithmetic of ``residual_cnn``.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
    """
    return residual_network(shape, classes, WIDTH)
