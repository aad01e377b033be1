"""The curves figure: robust accuracy over ε, a panel per attack and a curve per defense."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robbench.figures.curve_panel import describe_panel, draw_panel, legend_of, panels_of, write_title
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.house_style import curve_styles
from robbench.figures.legend_columns import LEGEND_ROW, legend_columns
from robbench.figures.panel_grid import add_panels, panel_columns
from robbench.figures.registration import register_figure
from robbench.figures.titles import dataset_title, norm_title

_PANEL_WIDTH, _PANEL_HEIGHT = 2.75, 1.95
_SINGLE_WIDTH, _SINGLE_HEIGHT = 4.6, 2.7
_LINE = 0.14
"""Height of a line of small print, in inches."""


@register_figure("curves")
def draw(curves: pd.DataFrame) -> Figure:
    """Robust accuracy over ε: a panel per attack, a curve per defense with its 95 % band."""
    panels = panels_of(curves)
    styles = curve_styles(curves["defense"])
    columns = panel_columns(len(panels))
    titles = [describe_panel(panel) for panel in panels]
    starts = range(0, len(panels), columns)
    rooms = [max(len(lines) - 1 for lines in titles[start : start + columns]) for start in starts]
    legend = legend_of(curves, styles)
    width = _SINGLE_WIDTH if columns == 1 else _PANEL_WIDTH * columns + 0.5
    across = legend_columns(legend, width)
    height = (
        (_SINGLE_HEIGHT if columns == 1 else _PANEL_HEIGHT * len(rooms))
        + _LINE * sum(rooms)
        + LEGEND_ROW * math.ceil(len(legend) / across)
        + 0.95
    )
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = add_panels(figure, len(rooms), columns, len(panels))
    format_epsilon_axis(axes[0], curves["epsilon"])
    for index, panel in enumerate(panels):
        draw_panel(axes[index], panel, styles, float(max(curves["epsilon"])))
        write_title(axes[index], titles[index], rooms[index // columns])
    _label_axes(axes, columns, norm_title(curves["norm"].iloc[0]))
    figure.suptitle(
        f"{dataset_title(curves['dataset'].iloc[0])}: accuracy under attack, with 95 % bands", fontsize=10.5
    )
    figure.legend(handles=legend, loc="outside lower center", ncols=across, handlelength=3.4)
    return figure


def _label_axes(axes: list[Axes], columns: int, norm: str) -> None:
    """Numbers and names only at the left, and under the lowest panel of each column."""
    for index, panel in enumerate(axes):
        left, lowest = index % columns == 0, index + columns >= len(axes)
        panel.tick_params(labelleft=left, labelbottom=lowest)
        panel.set_ylabel("Accuracy (%)" if left else "")
        panel.set_xlabel(f"Perturbation ε ({norm}, pixels in [0, 1])" if lowest else "")
