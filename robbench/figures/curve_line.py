"""One curve as every figure draws it: a line with its 95 % band, and its entry in a legend."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from robbench.figures.house_style import CurveStyle

BAND = 0.18
"""Opacity of a 95 % band."""
_BAR = 9.0
"""Width of the band of a single point, in printer's points."""
_MARKED_POINTS = 14


def draw_accuracy(
    axes: Axes, curve: pd.DataFrame, style: CurveStyle, band: float | None = BAND, **line: Any
) -> None:
    """Draw robust accuracy over ε, in percent.

    Args:
        axes: Where to.
        curve: The points of one curve, columns as in :data:`robbench.schema.CURVES`.
        style: How it looks.
        band: The opacity of its band; None: no band.
        **line: Properties of the line that differ from every other curve's, such as ``linewidth``.
    """
    points = pd.DataFrame(
        {
            "epsilon": curve["epsilon"],
            "value": 100 * curve["robust_accuracy"],
            "ci_low": 100 * curve["ci_low"],
            "ci_high": 100 * curve["ci_high"],
        }
    )
    draw_curve(axes, points, style, band, **line)


def draw_curve(
    axes: Axes, points: pd.DataFrame, style: CurveStyle, band: float | None = BAND, **line: Any
) -> None:
    """Draw any value over ε.

    Args:
        axes: Where to.
        points: ``epsilon`` and, in the axes' unit, ``value``; with a band ``ci_low`` and ``ci_high`` too.
        style: How it looks.
        band: The opacity of its band; None: no band.
        **line: Properties of the line that differ from every other curve's, such as ``linewidth``.
    """
    points = points.sort_values("epsilon")
    epsilon = points["epsilon"]
    if band is not None and len(points) == 1:
        # A band of no width is not seen.
        axes.vlines(epsilon, points["ci_low"], points["ci_high"], style.color, alpha=band, linewidth=_BAR)
    elif band is not None:
        axes.fill_between(
            epsilon, points["ci_low"], points["ci_high"], color=style.color, alpha=band, linewidth=0
        )
    look = {
        "linewidth": 1.5,
        "markersize": 3.8,
        "markevery": max(1, len(points) // _MARKED_POINTS),
        "clip_on": False,
        **line,
    }
    axes.add_line(_line(style, epsilon, points["value"], **look))


def legend_line(style: CurveStyle, label: str, **line: Any) -> Line2D:
    """A curve's entry in a legend.

    Args:
        style: How the curve looks.
        label: What it is.
        **line: Properties that differ from every other entry's.
    """
    return _line(style, [], [], label=label, **line)


def hollow_mark(color: str, marker: str, **line: Any) -> Line2D:
    """The mark of a value that somebody else states."""
    return Line2D(
        [], [], color=color, linestyle="none", marker=marker, markersize=9, markerfacecolor="none",
        markeredgewidth=1.3, **line,
    )  # fmt: skip


def _line(style: CurveStyle, x: Any, y: Any, **line: Any) -> Line2D:
    return Line2D(x, y, color=style.color, linestyle=style.line, marker=style.marker, **line)
