"""Pictures before and after a layer: a block of small images for each setting."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from robbench.figures.house_style import house_style

_BLOCK = 2.6
"""Width of a block, in inches."""


def draw_blocks(blocks: Mapping[str, npt.NDArray[np.uint8]], title: str) -> Figure:
    """Draw blocks of images side by side, every block the same images in the same order.

    Args:
        blocks: By what is written above: (n, height, width, channels), 1 or 3 channels.
        title: What stands above all.
    """
    with house_style():
        figure = Figure(figsize=(_BLOCK * len(blocks) + 0.2, _BLOCK + 0.75), layout="constrained")
        panels = figure.subplots(1, len(blocks), squeeze=False)[0]
        for axes, (name, images) in zip(panels, blocks.items(), strict=True):
            tiled = _tile(images)
            axes.imshow(tiled.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(name, fontsize=9)
            axes.set_axis_off()
        figure.suptitle(title, fontsize=10.5)
        return figure


def _tile(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """One picture of all images, in rows as long as the block is high, a white line between."""
    count, height, width, channels = images.shape
    side = math.ceil(math.sqrt(count))
    gap = max(1, height // 28)
    sheet = np.full((math.ceil(count / side) * (height + gap), side * (width + gap), channels), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // side * (height + gap), index % side * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet[:-gap, :-gap]
