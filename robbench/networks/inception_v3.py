"""Inception-v3, the ImageNet network of the soft-quantization paper."""

from torch import nn

from robbench.errors import UserError
from robbench.networks.normalization import Normalize
from robbench.networks.registration import register_network

SMALLEST_SIDE = 75


@register_network("inception_v3")
def inception_v3(shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The Inception-v3 of torchvision (Szegedy et al. 2016, arXiv:1512.00567), untrained.

    Images in [0, 1] are brought to [-1, 1] inside, as the pretrained weights expect. The auxiliary classifier
    is left out, so that the network returns logits alone in training too.

    Args:
        shape: 3 channels; height and width of at least 75.
        classes: The number of logits.

    Raises:
        UserError: The images have another channel count or are too small for the network's strides.
    """
    channels, height, width = shape
    if channels != 3 or min(height, width) < SMALLEST_SIDE:
        raise UserError(
            f"inception_v3 takes colour images of at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels; "
            f"these are {channels} × {height} × {width}.",
            "Choose another network.",
        )
    # Imported here: it takes a second, and no other network needs it.
    from torchvision.models import inception_v3 as build_inception

    # Without torchvision's own init_weights building is seven times faster; weights are loaded afterwards.
    network = build_inception(
        weights=None, num_classes=classes, aux_logits=False, transform_input=False, init_weights=False
    )
    return nn.Sequential(Normalize((0.5,) * 3, (0.5,) * 3), network)
