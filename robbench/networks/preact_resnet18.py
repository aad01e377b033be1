"""PreActResNet-18 for small images: the network of the fast-training papers."""

from torch import Tensor, nn
from torch.nn import functional

from robbench.networks.normalization import cifar10_normalization
from robbench.networks.registration import register_network

WIDTHS = (64, 128, 256, 512)
UNITS = 2
"""Units at each width; all but the first width begin by halving height and width."""


class PreActivationUnit(nn.Module):
    """BN-ReLU-conv twice, added to the input (He et al. 2016, arXiv:1603.05027, figure 1b).

    Where the shape changes, the shortcut is a 1 × 1 convolution of the activated input, as in the code that
    the fast-training papers share.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: Of the first convolution; 2 halves height and width.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
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
        activated = functional.relu(self.norm1(features))
        hidden = self.conv2(functional.relu(self.norm2(self.conv1(activated))))
        return hidden + (features if self.shortcut is None else self.shortcut(activated))


@register_network("preact_resnet18")
def preact_resnet18(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A convolution, eight pre-activation units of 64 to 512 channels, and a linear layer.

    The form for 32 × 32 images of Wong et al. 2020, arXiv:2001.03994: no pooling at the entrance, BN and ReLU
    before the pooled features. It has 11 172 170 weights at 3 channels and 10 classes.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
    """
    channels = shape[0]
    units = []
    inputs = WIDTHS[0]
    for width in WIDTHS:
        for position in range(UNITS):
            stride = 2 if position == 0 and width != WIDTHS[0] else 1
            units.append(PreActivationUnit(inputs, width, stride))
            inputs = width
    return nn.Sequential(
        cifar10_normalization(channels),
        nn.Conv2d(channels, WIDTHS[0], kernel_size=3, padding=1, bias=False),
        *units,
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(inputs, classes),
    )
