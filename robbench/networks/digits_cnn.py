"""The network of the digits: two convolutions and two linear layers, for images of 8 × 8 pixels."""

from torch import nn

from robbench.networks.registration import register_network


@register_network("digits_cnn")
def digits_cnn(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Madry's MNIST network in small: convolutions of 32 and 64 filters, a hidden layer of 128.

    Args:
        shape: Channels, height and width; height and width of at least 1.
        classes: The number of logits.
    """
    channels, height, width = shape
    # Pooling rounds up, so that the digits' 8 × 8 and any smaller image reach the linear layer.
    hidden = 64 * -(-height // 4) * -(-width // 4)
    return nn.Sequential(
        nn.Conv2d(channels, 32, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(32, 64, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(hidden, 128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )
