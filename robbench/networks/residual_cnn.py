"""The CIFAR-10 network: five residual units and one linear layer, at any width."""

from torch import Tensor, nn
from torch.nn import functional

from robbench.networks.normalization import cifar10_normalization
from robbench.networks.registration import register_network

WIDTH = 64


class ResidualUnit(nn.Module):
    """BN-ReLU-conv twice, added to the input (He et al. 2016, arXiv:1603.05027).

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
            nn.Identity()
            if inputs == outputs and stride == 1
            else nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)
        )

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.conv1(functional.relu(self.norm1(features)))
        hidden = self.conv2(functional.relu(self.norm2(hidden)))
        return hidden + self.shortcut(features)


def residual_network(shape: tuple[int, int, int], classes: int, width: int) -> nn.Module:
    """A convolution, five residual units and a linear layer on the pooled features.

    The normalization is that of CIFAR-10, inside the network; images of another channel count are centred.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
        width: Channels of the first unit; each halving of height and width doubles them.
    """
    channels = shape[0]
    return nn.Sequential(
        cifar10_normalization(channels),
        nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False),
        ResidualUnit(width, width, stride=1),
        ResidualUnit(width, 2 * width, stride=2),
        ResidualUnit(2 * width, 2 * width, stride=1),
        ResidualUnit(2 * width, 4 * width, stride=2),
        ResidualUnit(4 * width, 4 * width, stride=1),
        nn.BatchNorm2d(4 * width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, classes),
    )


@register_network("residual_cnn")
def residual_cnn(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Five residual units of 64 to 256 channels.

    The soft-quantization paper gives the five units and the linear layer and no widths; these are ours.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
    """
    return residual_network(shape, classes, WIDTH)
