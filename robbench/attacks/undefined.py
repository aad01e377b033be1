"""What to do where a gradient, or an image that a library returns, is not defined."""

import torch

from robbench.tensors import Images
from robbench.threat import per_image


def followable(gradient: Images) -> Images:
    """A gradient that any step can follow; a finite one stays as it is, bit for bit.

    NaN says nothing about where to go, and becomes 0. Infinity, as the slope of a root at a black pixel, has
    a sign: it becomes the largest finite derivative of its image (1 where all of these are 0). Left as it is,
    it turns the direction of a step in l2, and all that a minimum-norm attack computes, into NaN; as a huge
    number it leaves nothing of the other pixels.
    """
    finite = torch.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)
    largest = finite.abs().amax((1, 2, 3), keepdim=True)
    bound = largest.masked_fill(largest == 0, 1.0)
    return torch.nan_to_num(gradient, nan=0.0).clamp(-bound, bound)


def defined(points: Images, otherwise: Images) -> Images:
    """Images, and others in place of those that hold a NaN: an image that is none has broken nothing."""
    return torch.where(per_image(points.flatten(1).isnan().any(1)), otherwise, points)
