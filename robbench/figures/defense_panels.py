"""Small multiples: the curve of each defense in a panel of its own, one defense as reference in all."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.foot import draw_foot, foot_height
from robbench.figures.house_style import house_style
from robbench.figures.panel_grid import add_panels, add_parts
from robbench.figures.titles import printable, without_collapse
from robbench.figures.training_cost import LAYER_COLOR, PLAIN_COLOR

_COLUMNS = 4
_WIDTH, _PANEL_HEIGHT = 7.6, 1.5
_REFERENCE = "#8a8a8a"
_WARNING = "#b03000"


def draw_defense_panels(parts: Mapping[str, pd.DataFrame], reference: str, title: str) -> Figure:
    """Draw a block of panels for each setting.

    Args:
        parts: By what stands above the block, the points of curves in the order of the panels: the columns
            defense, title, remark (words beside it), kind, epsilon, robust_accuracy, ci_low, ci_high and
            has_layer. ``kind`` is
            ``curve`` for what is drawn with its band, ``plain`` for the same attack that does not get around
            a layer, and ``strongest`` for a mark at one ε.
        reference: The defense that is drawn in grey in all panels and has none of its own.
        title: What stands above.
    """
    with house_style():
        rows = [math.ceil(_panels(table, reference) / _COLUMNS) for table in parts.values()]
        foot = foot_height(2, [])
        heights = [_PANEL_HEIGHT * count + 0.5 for count in rows]
        figure = Figure(figsize=(_WIDTH, sum(heights) + foot + 0.35), layout="constrained")
        *blocks, below = add_parts(figure, [*heights, foot])
        for (heading, table), block, count in zip(parts.items(), blocks, rows, strict=True):
            block.suptitle(heading, x=0.01, ha="left", fontsize=9.5, fontweight="bold")
            _draw_block(block, table, reference, count)
        figure.suptitle(title, fontsize=10.5)
        name = parts and next(iter(parts.values())).loc[lambda t: t["defense"] == reference, "title"]
        draw_foot(below, _legend(str(next(iter(name), reference))), 3, [])
        return figure


def _panels(table: pd.DataFrame, reference: str) -> int:
    return len(set(table["defense"]) - {reference})


def _draw_block(block: SubFigure, table: pd.DataFrame, reference: str, rows: int) -> None:
    known = table.loc[table["defense"] == reference]
    groups = [group for name, group in table.groupby("defense", sort=False) if name != reference]
    panels = add_panels(block, rows, _COLUMNS, len(groups))
    format_epsilon_axis(panels[0], table["epsilon"], is_narrow=True)
    panels[0].set_ylim(-3, 103)
    panels[0].set_yticks(range(0, 101, 25))
    for index, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        _draw_lines(axes, known, _REFERENCE, band=False)
        _draw_lines(axes, group, LAYER_COLOR if group["has_layer"].iloc[0] else PLAIN_COLOR)
        _write_name(axes, str(group["title"].iloc[0]), str(group["remark"].iloc[0]))
        left, lowest = index % _COLUMNS == 0, index + _COLUMNS >= len(groups)
        axes.tick_params(labelleft=left, labelbottom=lowest, labelsize=7.5)
        axes.set_ylabel("Accuracy (%)" if left else "", fontsize=7.5)
        axes.set_xlabel("Perturbation ε" if lowest else "", fontsize=7.5)


def _write_name(axes: Axes, title: str, remark: str) -> None:
    axes.set_title(printable(without_collapse(title)), loc="left", fontsize=8.5, fontweight="bold", pad=3)
    # Where curves only go down, the corner below their start stays free.
    words = remark.replace(", ", ",\n")
    axes.annotate(words, (0.03, 0.07), xycoords="axes fraction", fontsize=7, color=_WARNING)


def _draw_lines(axes: Axes, points: pd.DataFrame, color: str, band: bool = True) -> None:
    for kind, curve in points.sort_values("epsilon", kind="stable").groupby("kind", sort=False):
        percent = curve[["robust_accuracy", "ci_low", "ci_high"]] * 100
        x, y = curve["epsilon"], percent["robust_accuracy"]
        if kind == "strongest":
            if band:
                axes.vlines(x, percent["ci_low"], percent["ci_high"], color=color, linewidth=1.0)
            axes.plot(
                x, y, color=color, linestyle="none", marker="D", markersize=4.2, clip_on=False, zorder=5
            )
        elif kind == "plain":
            axes.plot(x, y, color=color, linestyle=":", linewidth=1.2)
        else:
            if band:
                axes.fill_between(
                    x, percent["ci_low"], percent["ci_high"], color=color, alpha=0.18, linewidth=0
                )
            axes.plot(x, y, color=color, linewidth=1.6 if band else 1.2)


def _legend(reference: str) -> list[Line2D]:
    dark = "#444444"
    return [
        Line2D([], [], color=_REFERENCE, linewidth=1.2, label=f"{printable(reference)}, for reference"),
        Line2D([], [], color=PLAIN_COLOR, linewidth=1.6, label="PGD-20, with its 95 % band"),
        Line2D([], [], color=LAYER_COLOR, linewidth=1.6, label="the same through BPDA"),
        Line2D([], [], color=LAYER_COLOR, linewidth=1.2, linestyle=":", label="PGD-20 on the layer itself"),
        Line2D(
            [],
            [],
            color=dark,
            linestyle="none",
            marker="D",
            markersize=4.2,
            label="worst of all, with AutoAttack",
        ),
    ]
