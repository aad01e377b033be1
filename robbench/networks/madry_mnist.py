"""The MNIST network of Madry et al., which the soft-quantization paper wraps."""

from torch import nn

from robbench.networks.registration import register_network


@register_network("madry_mnist")
def madry_mnist(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Convolutions 5 × 5 of 32 and 64 filters, each pooled by 2, a hidden layer of 1024, the logits.

    Adapted from the MNIST challenge code (model.py) of Madry et al. 2018, arXiv:1706.06083: 'same' padding,
    and pooling that rounds up.

    Args:
        shape: Channels, height and width.
        classes: The number of logits.
    """
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, 32, kernel_size=5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(32, 64, kernel_size=5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(64 * -(-height // 4) * -(-width // 4), 1024),
        nn.ReLU(),
        nn.Linear(1024, classes),
    )
