"""The last value of each curve, written at a panel's right edge."""

import pandas as pd
from matplotlib.axes import Axes

from robbench.figures.house_style import CurveStyle

_MOST_END_LABELS = 6
_END_LABEL_GAP = 6.0
"""Points of accuracy between two labels at a panel's right edge."""


def draw_end_labels(
    axes: Axes, curves: dict[str, pd.DataFrame], styles: dict[str, CurveStyle], largest: float
) -> None:
    """Write the last value of each curve that reaches the right edge, moved apart where they would touch.

    Args:
        axes: Where to.
        curves: The curves by defense, ε ascending.
        styles: A style for each defense.
        largest: ε at the right edge: a number there is read as the accuracy at it.
    """
    if len(curves) > _MOST_END_LABELS:
        return
    ends = {
        name: curve["robust_accuracy"].iloc[-1] * 100
        for name, curve in curves.items()
        if curve["epsilon"].iloc[-1] == largest
    }
    names = sorted(ends, key=lambda name: ends[name])
    for name, height in zip(names, spread([ends[name] for name in names], _END_LABEL_GAP), strict=True):
        axes.annotate(
            f"{ends[name]:.1f}",
            (1.02, height),
            xycoords=axes.get_yaxis_transform(),
            fontsize=7,
            color=styles[name].color,
            va="center",
            annotation_clip=False,
        )


def spread(heights: list[float], gap: float) -> list[float]:
    """Ascending heights moved as little as needed to stand ``gap`` apart, groups kept centered on their own.

    The solution of least squares: neighbours that touch become one block, which stands at its members' mean,
    but neither below 0 nor above 100.
    """
    blocks: list[list[float]] = []

    def bottom(block: list[float]) -> float:
        height = gap * (len(block) - 1)
        return max(0.0, min(sum(block) / len(block) - height / 2, 100.0 - height))

    for height in heights:
        blocks.append([height])
        while len(blocks) > 1 and bottom(blocks[-1]) < bottom(blocks[-2]) + gap * len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    return [bottom(block) + gap * i for block in blocks for i in range(len(block))]
