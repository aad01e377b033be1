"""Figure 12: ImageNet photographs after soft quantization with K = 4."""

from robbench.reproducing.picture_targets import IMAGENET_SLOPES, PictureTarget
from robbench.reproducing.registration import register_target


@register_target
class Figure12(PictureTarget):
    """Sample images and what is left of them at three slopes."""

    name = "fig12"
    title = "Figure 12"
    caption = "ImageNet photographs after soft quantization, K = 4"
    dataset = "imagenet"
    levels = 4
    slopes = IMAGENET_SLOPES
    count = 4
