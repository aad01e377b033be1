"""PreActResNet-18 for small images: the network of the fast-training papers."""

from torch import nn

from robbench.networks.pre_activation import UnitShape, pre_activation_network
from robbench.networks.registration import register_network

_UNITS = (
    UnitShape(64), UnitShape(64),
    UnitShape(128, stride=2), UnitShape(128),
    UnitShape(256, stride=2), UnitShape(256),
    UnitShape(512, stride=2), UnitShape(512),
)  # fmt: skip


@register_network("preact_resnet18")
def preact_resnet18(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A convolution, eight pre-activation units of 64 to 512 channels, and a linear layer.

    The form for 32 × 32 images of Wong et al. 2020, arXiv:2001.03994, which N-FGSM's and FAST-BAT's code took
    over: no pooling at the entrance, BN and ReLU before the pooled features, and shortcuts from the input
    itself (CIFAR10/preact_resnet.py of github.com/locuslab/fast_adversarial). It has 11 172 170 weights at 3
    channels and 10 classes.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
    """
    return pre_activation_network(shape[0], classes, 64, _UNITS)
