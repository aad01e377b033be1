"""Soft quantization as a function: the staircase and its gradient, side by side."""

import pandas as pd
from matplotlib.figure import Figure

from robbench.figures.house_style import house_style

_COLOR = "#0072B2"


def draw_staircase(points: pd.DataFrame, title: str) -> Figure:
    """Draw S(x) at the left and its gradient at the right.

    Args:
        points: ``x``, ``value`` and ``gradient``, ascending in x.
        title: Which K and α these are.
    """
    with house_style():
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2, sharex=True)
        left.plot(points["x"], points["value"], color=_COLOR, linewidth=1.3)
        left.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
        left.set_title("S(x); dotted: x itself", loc="left", fontsize=9)
        right.plot(points["x"], points["gradient"], color=_COLOR, linewidth=1.0)
        right.set_title("dS(x) / dx", loc="left", fontsize=9)
        for axes in (left, right):
            axes.set_xlabel("Pixel value x")
        left.set_ylabel("Quantized value")
        right.set_ylabel("Gradient")
        figure.suptitle(title, fontsize=10.5)
        return figure
