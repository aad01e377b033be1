"""The grid of panels: how many stand side by side, on one scale."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure


def panel_columns(panels: int) -> int:
    """Panels in a row: two by two for four, else up to four in rows as even as can be."""
    if panels <= 3:
        return panels
    if panels == 4:
        return 2
    return 3 if panels in (5, 6, 9) else 4


def add_panels(figure: Figure | SubFigure, rows: int, columns: int, count: int) -> list[Axes]:
    """Axes that share both scales."""
    axes: list[Axes] = []
    for index in range(count):
        first = axes[0] if axes else None
        axes.append(figure.add_subplot(rows, columns, index + 1, sharex=first, sharey=first))
    return axes


def add_parts(figure: Figure, heights: list[float]) -> list[SubFigure]:
    """Parts of a figure, one below the other.

    Args:
        figure: Without axes.
        heights: Of the parts, in any unit.
    """
    made = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)
    return list(made.flat)
