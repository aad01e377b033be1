"""The paper's figures of curves: a row of panels per protocol, a panel per attack, a curve per defense."""

import math
import re
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from robbench.analysis.protocols import BPDA_OF, PROTOCOLS, protocol_of
from robbench.analysis.worst_of import WORST_OF
from robbench.errors import UserError
from robbench.figures.curve_panel import describe_panel, draw_panel, legend_of, panels_of, write_title
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.foot import LINE, draw_foot, foot_height, wrap_notes
from robbench.figures.house_style import CurveStyle, curve_styles, house_style
from robbench.figures.legend_columns import legend_columns
from robbench.figures.panel_grid import add_parts
from robbench.figures.registration import register_figure
from robbench.figures.titles import dataset_title, norm_title

_PANEL_WIDTH, _PANEL_HEIGHT = 2.55, 2.05
_LEAST_WIDTH = 6.4
"""What a row is headed by fits in."""
_PANELS = re.compile(r"(pgd|bpda)\d+(-substitute)?(-cw)?")
"""Attacks that have a panel; others count in worst-of alone."""


@register_figure("fig3")
def draw_fig3(curves: pd.DataFrame) -> Figure:
    """The layout of Figure 3 of the SQ paper, of any runs: PGD and BPDA, two losses, by either protocol."""
    return draw_runs(curves)


@register_figure("fig4")
def draw_fig4(curves: pd.DataFrame) -> Figure:
    """The layout of Figure 4 of the SQ paper, which is Figure 3's: there of MNIST, here of CIFAR-10."""
    return draw_runs(curves)


def draw_runs(curves: pd.DataFrame) -> Figure:
    """Draw the curves of any runs in the layout of Figures 3 and 4; the strategy tells the protocol."""
    table = curves.assign(protocol=[protocol_of(strategy) for strategy in curves["strategy"]])
    title = f"{dataset_title(curves['dataset'].iloc[0])}: accuracy under attack, with 95 % bands"
    return _draw_in_style(table, title, (), PROTOCOLS)


def draw_protocols(curves: pd.DataFrame, title: str, notes: Sequence[str]) -> Figure:
    """Draw a row of panels for each protocol, each with the BPDA that belongs to it.

    Args:
        curves: Columns as in :data:`robbench.schema.CURVES`, and ``protocol``; not empty.
        title: What stands above.
        notes: What a reader must know, in sentences; they stand below.

    Raises:
        UserError: No attack of the curves has a panel.
    """
    headings = {name: f"{words}; {BPDA_OF[name]}" for name, words in PROTOCOLS.items()}
    return _draw_in_style(curves, title, notes, headings)


def _draw_in_style(
    curves: pd.DataFrame, title: str, notes: Sequence[str], headings: Mapping[str, str]
) -> Figure:
    with house_style():
        return _draw(curves, title, notes, headings)


def _draw(curves: pd.DataFrame, title: str, notes: Sequence[str], headings: Mapping[str, str]) -> Figure:
    rows = [
        (name, _shown(part))
        for name in PROTOCOLS
        if len(part := curves.loc[curves["protocol"] == name]) and _shown(part)
    ]
    if not rows:
        raise UserError(
            f"This figure shows PGD and BPDA, and of those nothing was run on {curves['dataset'].iloc[0]}.",
            f"Run `--attacks pgd100,bpda`, or draw {', '.join(map(str, curves['attack'].unique()))} by "
            "`--figure curves`.",
        )
    columns = max(len(panels) for _, panels in rows)
    titles = [[describe_panel(panel) for panel in panels] for _, panels in rows]
    rooms = [max(len(lines) for lines in row) - 1 for row in titles]
    heights = [_PANEL_HEIGHT + LINE * room + 0.55 for room in rooms]
    width = max(_PANEL_WIDTH * columns + 0.5, _LEAST_WIDTH)
    written = wrap_notes(notes, width)
    styles = curve_styles(curves["defense"])
    legend = legend_of(curves, styles)
    across = legend_columns(legend, width)
    foot = foot_height(math.ceil(len(legend) / across), written)
    figure = Figure(figsize=(width, sum(heights) + foot + 0.35), layout="constrained")
    parts = add_parts(figure, [*heights, foot])
    figure.suptitle(title, fontsize=11)
    for (name, panels), part, row_titles, room in zip(rows, parts, titles, rooms, strict=False):
        _draw_row(part, panels, styles, row_titles, room, columns)
        part.suptitle(headings[name], fontsize=9, x=0.01, ha="left", color="#222222")
    draw_foot(parts[-1], legend, across, written)
    return figure


def _shown(curves: pd.DataFrame) -> list[pd.DataFrame]:
    chosen = [
        panel
        for panel in panels_of(curves)
        if _PANELS.fullmatch(attack := str(panel["attack"].iloc[0])) or attack == WORST_OF
    ]
    # A defense that came later may have brought worst-of before an attack; it closes the row.
    return sorted(chosen, key=lambda panel: panel["attack"].iloc[0] == WORST_OF)


def _draw_row(
    part: SubFigure,
    panels: list[pd.DataFrame],
    styles: dict[str, CurveStyle],
    titles: list[list[str]],
    room: int,
    columns: int,
) -> None:
    first: Axes | None = None
    for position, (panel, lines) in enumerate(zip(panels, titles, strict=True)):
        axes = part.add_subplot(1, columns, position + 1, sharex=first, sharey=first)
        if first is None:
            first = axes
            format_epsilon_axis(axes, panel["epsilon"])
        draw_panel(axes, panel, styles, float(max(max(one["epsilon"]) for one in panels)))
        write_title(axes, lines, room)
        axes.tick_params(labelleft=position == 0)
        axes.set_ylabel("Accuracy (%)" if position == 0 else "")
        axes.set_xlabel(f"Perturbation ε ({norm_title(panel['norm'].iloc[0])}, pixels in [0, 1])")
