"""Augmentation of image batches on whatever device they lie: random crops, horizontal flips."""

import torch
from jaxtyping import Shaped
from torch import Tensor
from torch.nn import functional

PADDING = 4

PixelBatch = Shaped[Tensor, "n channels height width"]
"""Images as stored: uint8, or float32 in [0, 1]."""


def crop_and_flip(pixels: PixelBatch, generator: torch.Generator) -> PixelBatch:
    """Shift each image by up to 4 pixels either way, filling with zeros, and mirror half of them.

    The usual augmentation of CIFAR-10 (He et al. 2016, arXiv:1512.03385), one gather for the whole batch.

    Args:
        pixels: The batch.
        generator: The source of the shifts and flips, on the batch's device.
    """
    count, _, height, width = pixels.shape
    device = pixels.device

    def draw(low: int, high: int) -> Tensor:
        return torch.randint(low, high, (count, 1), generator=generator, device=device)

    rows = draw(0, 2 * PADDING + 1) + torch.arange(height, device=device)
    columns = draw(0, 2 * PADDING + 1) + torch.arange(width, device=device)
    columns = torch.where(draw(0, 2) == 1, columns.flip(1), columns)
    padded = functional.pad(pixels, (PADDING,) * 4)
    image = torch.arange(count, device=device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
