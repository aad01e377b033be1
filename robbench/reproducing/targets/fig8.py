"""Figure 8: MNIST digits after soft quantization with K = 1."""

from robbench.reproducing.picture_targets import MNIST_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure8(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig8"
    title = "Figure 8"
    caption = "MNIST digits after soft quantization, K = 1"
    dataset = "mnist"
    levels = 1
    slopes = MNIST_SLOPES
    count = 16
