"""The comparison figure: differences from the baseline over ε, a panel per attack, a line per candidate."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robbench.analysis.worst_of import WORST_OF
from robbench.figures.curve_line import draw_curve, legend_line
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.house_style import CurveStyle, curve_styles, house_style
from robbench.figures.legend_columns import LEGEND_ROW, legend_columns
from robbench.figures.panel_grid import add_panels, panel_columns
from robbench.figures.titles import attack_title, printable

_PANEL_WIDTH, _PANEL_HEIGHT = 2.75, 2.0
_SINGLE_WIDTH, _SINGLE_HEIGHT = 4.6, 2.7
_LEAST_HALF_RANGE = 5.0
"""Points of accuracy shown on either side of zero, at least: noise shall not look like a mountain."""


def draw_comparison(
    points: pd.DataFrame, title: str, baseline: str, defenses: Mapping[str, str], norm: str
) -> Figure:
    """Draw the differences with their 95 % intervals.

    Args:
        points: See :class:`robbench.analysis.comparison.Comparison`; not empty.
        title: What was compared, in words.
        baseline: The baseline's name.
        defenses: What is printed for each defense, short enough for a figure.
        norm: The norm's symbol.
    """
    with house_style():
        panels = [(str(name), panel) for name, panel in points.groupby("attack", sort=False)]
        styles = curve_styles([baseline, *points["candidate"]])
        columns = panel_columns(len(panels))
        rows = math.ceil(len(panels) / columns)
        legend = [legend_line(style, defenses[name]) for name, style in styles.items() if name != baseline]
        width = _SINGLE_WIDTH if columns == 1 else _PANEL_WIDTH * columns + 0.5
        across = legend_columns(legend, width)
        legend_rows = math.ceil(len(legend) / across)
        height = (_SINGLE_HEIGHT if columns == 1 else _PANEL_HEIGHT * rows) + LEGEND_ROW * legend_rows + 0.8
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = add_panels(figure, rows, columns, len(panels))
        format_epsilon_axis(axes[0], points["epsilon"])
        axes[0].set_ylim(*_range(points))
        for index, (name, panel) in enumerate(panels):
            _draw_panel(axes[index], panel, styles)
            axes[index].set_title(_panel_title(name), loc="left", fontsize=9, fontweight="bold")
            left, lowest = index % columns == 0, index + columns >= len(panels)
            axes[index].tick_params(labelleft=left, labelbottom=lowest)
            axes[index].set_ylabel("Difference (points)" if left else "")
            axes[index].set_xlabel(f"Perturbation ε ({norm}, pixels in [0, 1])" if lowest else "")
        figure.suptitle(
            f"{title}: accuracy minus that of {defenses[baseline]}, with paired 95 % intervals",
            fontsize=10,
            wrap=True,
        )
        figure.legend(handles=legend, loc="outside lower center", ncols=across, handlelength=3.4)
        return figure


def _draw_panel(axes: Axes, panel: pd.DataFrame, styles: dict[str, CurveStyle]) -> None:
    axes.axhline(0, color="#444444", linewidth=1.0)
    for name, curve in panel.groupby("candidate"):
        draw_curve(axes, curve.rename(columns={"difference": "value"}), styles[str(name)])


def _range(points: pd.DataFrame) -> tuple[float, float]:
    """Zero is always there, and a little room beyond the intervals."""
    low = min(*points["ci_low"], -_LEAST_HALF_RANGE)
    high = max(*points["ci_high"], _LEAST_HALF_RANGE)
    room = 0.04 * (high - low)
    return low - room, high + room


def _panel_title(attack: str) -> str:
    if attack == WORST_OF:
        return "Worst of the shared attacks"  # of a candidate and the baseline; others may share others
    name, details, _ = attack_title(attack)
    return printable(", ".join([name, *details]))
