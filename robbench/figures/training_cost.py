"""Robust accuracy against what the training cost: a point per defense, one defense as the yardstick."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from robbench.figures.foot import draw_foot, foot_height, wrap_notes
from robbench.figures.house_style import house_style
from robbench.figures.label_placement import Box, place_labels
from robbench.figures.legend_columns import legend_columns
from robbench.figures.panel_grid import add_parts
from robbench.figures.titles import printable, without_collapse

YARDSTICK_COLOR, PLAIN_COLOR, LAYER_COLOR = "#000000", "#0072B2", "#D55E00"
_WIDTH, _HEIGHT = 7.6, 4.6
_PLOT = (6.9, 3.8)
"""About the size of the panel inside its axes, in inches, by which labels are placed."""
_TICKS = (1, 1.5, 2, 3, 4, 6, 8)
"""Where in each decade of the cost axis there are ticks."""
_ROOM = (0.12, 0.2)
"""Decades that the axis goes on to the left of the cheapest and to the right of the dearest."""
_CHARACTER, _LINE = 0.066, 0.13
"""Width of a character and height of a line of a label, in inches."""
_MARK = 0.07
"""Half the size of a mark, in inches."""


def draw_training_cost(
    panels: Mapping[str, pd.DataFrame], yardstick: str, title: str, notes: Sequence[str] = ()
) -> Figure:
    """Draw a panel for each setting.

    Args:
        panels: By what stands above it, one row per defense: the columns defense, title, worst_of, ci_low and
            ci_high (from 0 to 1), each (the same of every training, where worst_of is a mean), passes,
            has_layer, collapsed, recovered (whether a collapse did not last) and remark (words that follow
            the title).
        yardstick: The defense whose accuracy is drawn across.
        title: What stands above.
        notes: What stands below, in sentences.
    """
    lines = wrap_notes(notes, _WIDTH)
    with house_style():
        several = any((table["each"].map(len) > 1).any() for table in panels.values())
        legend = _legend(several)
        across = legend_columns(legend, _WIDTH)
        foot = foot_height(math.ceil(len(legend) / across), lines)
        figure = Figure(figsize=(_WIDTH, _HEIGHT * len(panels) + foot + 0.3), layout="constrained")
        *parts, below = add_parts(figure, [*([_HEIGHT] * len(panels)), foot])
        for (heading, table), part in zip(panels.items(), parts, strict=True):
            axes = part.add_subplot()
            axes.set_title(heading, loc="left", fontsize=9.5, fontweight="bold")
            placed = table.assign(x=np.log10(table["passes"]), y=100 * table["worst_of"])
            _draw_panel(axes, placed, yardstick)
        figure.suptitle(title, fontsize=10.5)
        draw_foot(below, legend, across, lines)
        return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, yardstick: str) -> None:
    points = table.to_dict("records")
    axes.set_xlim(table["x"].to_numpy().min() - _ROOM[0], table["x"].to_numpy().max() + _ROOM[1])
    axes.set_ylim(-3, 100 * float(table["ci_high"].to_numpy().max()) + 5)
    axes.set_ylabel("Robust accuracy (%)")
    for point in points:
        if point["defense"] == yardstick:
            axes.axhspan(100 * point["ci_low"], 100 * point["ci_high"], color="#000000", alpha=0.07, lw=0)
            axes.axhline(point["y"], color="#000000", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    for point in points:
        color = _color(point, yardstick)
        ends = [100 * point["ci_low"], 100 * point["ci_high"]]
        axes.plot([point["x"]] * 2, ends, color=color, linewidth=1.1, alpha=0.6)
        if len(point["each"]) > 1:
            axes.add_line(_dashes(color, [point["x"]] * len(point["each"]), point["each"]))
        mark = _mark(color, _state(point), point["defense"] == yardstick)
        mark.set_data([point["x"]], [point["y"]])
        axes.add_line(mark)
    _write_names(axes, points, yardstick)
    _format_cost_axis(axes)


def _write_names(axes: Axes, points: list[dict[Any, Any]], yardstick: str) -> None:
    """Every name beside its point, with a line to it where it stands away."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    across, up = _PLOT[0] / (right - left), _PLOT[1] / (high - low)
    places = [((point["x"] - left) * across, (point["y"] - low) * up) for point in points]
    names = [_name(point) for point in points]
    bars = [
        Box(x - 0.02, (100 * point["ci_low"] - low) * up, x + 0.02, (100 * point["ci_high"] - low) * up)
        for point, (x, _) in zip(points, places, strict=True)
    ]
    marks = [Box(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in places]
    lines = [
        Box(0.0, y - 0.02, _PLOT[0], y + 0.02)
        for point, (_, y) in zip(points, places, strict=True)
        if point["defense"] == yardstick
    ]
    sizes = [(_CHARACTER * len(name), _LINE) for name in names]
    boxes = place_labels(places, sizes, [*bars, *marks, *lines], Box(0.0, 0.0, *_PLOT))
    for point, name, (x, y), box in zip(points, names, places, boxes, strict=True):
        near = (min(max(x, box.left), box.right), min(max(y, box.bottom), box.top))
        if np.hypot(near[0] - x, near[1] - y) > 2 * _MARK:
            ends = [(left + u / across, low + v / up) for u, v in ((x, y), near)]
            axes.plot(*zip(*ends, strict=True), color="#999999", linewidth=0.6, zorder=1.5)
        # Anchored at the end that is near the point: the width is an estimate.
        is_left = box.left + box.right < 2 * x - 0.01
        axes.annotate(
            name,
            (left + (box.right if is_left else box.left) / across, low + (box.bottom + box.top) / 2 / up),
            ha="right" if is_left else "left",
            fontsize=7.8,
            color=_color(point, yardstick),
            va="center",
            fontweight="bold" if point["defense"] == yardstick else "normal",
        )


def _name(point: Mapping[Any, Any]) -> str:
    name = printable(without_collapse(str(point["title"])))
    return f"{name}, {point['remark']}" if point["remark"] else name


def _format_cost_axis(axes: Axes) -> None:
    """Passes in thousands or millions; the scale is one of decades, as labels are placed in them."""
    low, high = axes.get_xlim()
    ticks = [power + np.log10(tick) for power in range(int(low) - 1, int(high) + 2) for tick in _TICKS]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(10**value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("Cost of the training: forward and backward passes of one image (log scale)")


def _count(passes: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if passes >= size * 0.999:
            return f"{passes / size:.3g} {letter}"
    return f"{passes:.3g}"


def _color(point: Mapping[Any, Any], yardstick: str) -> str:
    if point["defense"] == yardstick:
        return YARDSTICK_COLOR
    return LAYER_COLOR if point["has_layer"] else PLAIN_COLOR


def _state(point: Mapping[Any, Any]) -> str:
    if not point["collapsed"]:
        return "sound"
    return "recovered" if point["recovered"] else "collapsed"


def _mark(color: str, state: str, is_yardstick: bool = False, label: str = "") -> Line2D:
    """A point: filled, hollow after a collapse that did not last, a cross after one that did."""
    marker = {"sound": "s" if is_yardstick else "o", "recovered": "o", "collapsed": "X"}[state]
    return Line2D(
        [],
        [],
        color=color,
        linestyle="none",
        marker=marker,
        markersize=7.5 if is_yardstick or state == "collapsed" else 6.2,
        markerfacecolor="#ffffff" if state == "recovered" else color,
        markeredgewidth=0.0 if state == "collapsed" else 1.3,
        zorder=4,
        label=label,
    )


def _dashes(color: str, places: Sequence[float], accuracies: Sequence[float], label: str = "") -> Line2D:
    """Each of several trainings, a short line across."""
    heights = [100 * accuracy for accuracy in accuracies]
    return Line2D(
        places,
        heights,
        color=color,
        linestyle="none",
        marker="_",
        markersize=11,
        markeredgewidth=1.2,
        label=label,
    )


def _legend(several: bool) -> list[Line2D]:
    grey = "#555555"
    each = [_dashes(grey, [], [], "each of several trainings")] if several else []
    return [
        *each,
        _mark(YARDSTICK_COLOR, "sound", is_yardstick=True, label="the yardstick, its interval across"),
        _mark(PLAIN_COLOR, "sound", label="network alone"),
        _mark(LAYER_COLOR, "sound", label="behind a quantizing layer"),
        _mark(grey, "collapsed", label="collapsed in training"),
        _mark(grey, "recovered", label="collapsed, recovered in part"),
        Line2D([], [], color=grey, linewidth=1.1, alpha=0.6, label="95 % interval"),
    ]
