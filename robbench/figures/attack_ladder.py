"""One defense under ever stronger attacks: a panel per dataset, a curve per attack."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robbench.figures.curve_line import draw_accuracy, legend_line
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.foot import draw_foot, foot_height, wrap_notes
from robbench.figures.house_style import CurveStyle, house_style
from robbench.figures.panel_grid import add_parts
from robbench.figures.titles import dataset_title

_PANEL_WIDTH, _PANEL_HEIGHT = 3.3, 2.9
_LEGEND_COLUMNS = 3
_BAND = 0.12
"""Fainter than elsewhere: the curves of one defense lie close together."""
_STYLES = (
    CurveStyle("#D55E00", "-", "D"),
    CurveStyle("#E69F00", "--", "s"),
    CurveStyle("#0072B2", "-.", "^"),
    CurveStyle("#56B4E9", (0, (5, 1, 1, 1, 1, 1)), "v"),
    CurveStyle("#009E73", (0, (1, 1.5)), "o"),
    CurveStyle("#000000", ":", "X"),
)


def draw_ladder(
    curves: pd.DataFrame,
    attacks: Mapping[str, str],
    datasets: Sequence[str],
    title: str,
    notes: Sequence[str],
) -> Figure:
    """Draw a panel for each dataset.

    Args:
        curves: Columns as in :data:`robbench.schema.CURVES`.
        attacks: The kinds of attack in order, each with its words for the legend; ``curves`` has them in
            its column ``kind``.
        datasets: The panels; one without curves says that it was not run.
        title: What stands above.
        notes: What a reader must know, in sentences; they stand below.
    """
    with house_style():
        drawn = set(curves["kind"])
        styles = {kind: style for kind, style in zip(attacks, _STYLES, strict=False) if kind in drawn}
        width = _PANEL_WIDTH * len(datasets) + 0.4
        lines = wrap_notes(notes, width)
        foot = foot_height(math.ceil(len(styles) / _LEGEND_COLUMNS), lines)
        figure = Figure(figsize=(width, _PANEL_HEIGHT + foot + 0.5), layout="constrained")
        above, below = add_parts(figure, [_PANEL_HEIGHT + 0.5, foot])
        panels = above.subplots(1, len(datasets), squeeze=False)[0]
        for axes, dataset in zip(panels, datasets, strict=True):
            _draw_panel(axes, curves.loc[curves["dataset"] == dataset], styles)
            axes.set_title(dataset_title(dataset), loc="left", fontsize=9.5, fontweight="bold")
        panels[0].set_ylabel("Accuracy (%)")
        handles = [legend_line(style, attacks[kind]) for kind, style in styles.items()]
        above.suptitle(title, fontsize=10.5)
        draw_foot(below, handles, _LEGEND_COLUMNS, lines)
        return figure


def _draw_panel(axes: Axes, curves: pd.DataFrame, styles: dict[str, CurveStyle]) -> None:
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20))
    if not len(curves):
        axes.text(0.5, 0.5, "not run", transform=axes.transAxes, ha="center", color="#7a2b00", fontsize=12)
        axes.set_xticks([])
        return
    format_epsilon_axis(axes, curves["epsilon"])
    axes.set_xlabel("Perturbation ε (L∞, pixels in [0, 1])")
    for kind, style in styles.items():
        curve = curves.loc[curves["kind"] == kind]
        if len(curve):
            draw_accuracy(axes, curve, style, _BAND)
