"""Figure 13: ImageNet photographs after soft quantization with K = 8."""

from robbench.reproducing.picture_targets import IMAGENET_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure13(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig13"
    title = "Figure 13"
    caption = "ImageNet photographs after soft quantization, K = 8"
    dataset = "imagenet"
    levels = 8
    slopes = IMAGENET_SLOPES
    count = 4
