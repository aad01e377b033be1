"""The scaling figure of a benchmark: cost and seconds as the grid, the samples and the steps grow."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from robbench.figures.curve_line import legend_line
from robbench.figures.house_style import CurveStyle, curve_styles, house_style
from robbench.figures.titles import dataset_title, defense_title

_PANELS = {
    "points": "Points of the grid",
    "samples": "Samples",
    "steps": "Steps of the attack",
}
"""What is varied, and the name of its axis."""
_ROWS = {"single_runs": "Cost in runs at one ε", "seconds": "Seconds"}
_COSTS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
"""Where the logarithmic axis has its ticks."""
_LOOP = CurveStyle("#999999", "-", "")


def draw_scaling(table: pd.DataFrame) -> Figure:
    """Cost in runs at one ε, and seconds, over the number of grid points, samples and steps.

    Args:
        table: One row per defense, engine and size: the columns dataset, attack, defense, engine, varied,
            points, samples, steps, single_runs and seconds.
    """
    with house_style():
        figure = Figure(figsize=(7.6, 4.5), layout="constrained")
        styles = curve_styles(table["defense"])
        for row, (column, heading) in enumerate(_ROWS.items()):
            for position, varied in enumerate(_PANELS):
                axes = figure.add_subplot(len(_ROWS), len(_PANELS), row * len(_PANELS) + position + 1)
                _draw_panel(axes, table.loc[table["varied"] == varied], varied, column, styles)
                axes.set_ylabel(heading if position == 0 else "")
                axes.set_xlabel(_PANELS[varied] if row else "")
        first = table.iloc[0]
        figure.suptitle(
            f"{dataset_title(first['dataset'])}: a whole curve of {first['attack']} by {_engine(table)}",
            fontsize=10.5,
        )
        figure.legend(
            handles=[
                *(legend_line(style, defense_title(name)) for name, style in styles.items()),
                legend_line(_LOOP, "a loop over ε", linewidth=1),
            ],
            loc="outside lower center",
            ncols=5,
            handlelength=3.4,
        )
    return figure


def _draw_panel(
    axes: Axes, table: pd.DataFrame, varied: str, column: str, styles: dict[str, CurveStyle]
) -> None:
    """Cost or seconds over one quantity; the cost on a logarithmic scale, so that a loop over ε fits too."""
    for defense, rows in table.groupby("defense", sort=False):
        style = styles[str(defense)]
        ordered = rows.sort_values(varied)
        axes.plot(
            ordered[varied], ordered[column], color=style.color, linestyle=style.line, marker=style.marker,
            markersize=4, linewidth=1.3,
        )  # fmt: skip
    sizes = sorted(set(table[varied]))
    axes.set_xticks(sizes, [str(size) for size in sizes])
    if column == "single_runs":
        # What a loop pays follows from counting: one run for every ε above 0.
        points = table.groupby(varied)["points"].first()
        axes.plot(points.index, points - 1, color=_LOOP.color, linewidth=1)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(_COSTS))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)


def _engine(table: pd.DataFrame) -> str:
    """The engine; where auto came to different strategies, only what they have in common."""
    engines = list(dict.fromkeys(table["engine"]))
    return engines[0] if len(engines) == 1 else engines[0].partition(":")[0]
