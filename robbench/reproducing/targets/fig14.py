"""Figure 14: ImageNet photographs after soft quantization with K = 16."""

from robbench.reproducing.picture_targets import IMAGENET_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure14(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig14"
    title = "Figure 14"
    caption = "ImageNet photographs after soft quantization, K = 16"
    dataset = "imagenet"
    levels = 16
    slopes = IMAGENET_SLOPES
    count = 4
