"""Figure 11: CIFAR-10 images after soft quantization with K = 16."""

from robbench.reproducing.picture_targets import CIFAR10_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure11(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig11"
    title = "Figure 11"
    caption = "CIFAR-10 images after soft quantization, K = 16"
    dataset = "cifar10"
    levels = 16
    slopes = CIFAR10_SLOPES
    count = 16
