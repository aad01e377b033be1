"""Figure 9: CIFAR-10 images after soft quantization with K = 2."""

from robbench.reproducing.picture_targets import CIFAR10_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure9(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig9"
    title = "Figure 9"
    caption = "CIFAR-10 images after soft quantization, K = 2"
    dataset = "cifar10"
    levels = 2
    slopes = CIFAR10_SLOPES
    count = 16
