"""Figure 10: CIFAR-10 images after soft quantization with K = 4."""

from robbench.reproducing.picture_targets import CIFAR10_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure10(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig10"
    title = "Figure 10"
    caption = "CIFAR-10 images after soft quantization, K = 4"
    dataset = "cifar10"
    levels = 4
    slopes = CIFAR10_SLOPES
    count = 16
