"""The foot of a figure: the legend, and below it what a reader must know, in lines that fit."""

import math
import textwrap
from collections.abc import Sequence

from matplotlib.figure import SubFigure
from matplotlib.lines import Line2D

from robbench.figures.legend_columns import LEGEND_ROW

LINE = 0.14
"""Height of a line of small print, in inches."""
_CHARACTER = 0.062
"""Width of a character of the notes, in inches, generous."""


def wrap_notes(notes: Sequence[str], width: float) -> list[str]:
    """Notes, in sentences, as lines of a figure that is ``width`` inches wide."""
    return textwrap.wrap(" ".join(notes), math.floor(width / _CHARACTER)) if notes else []


def foot_height(legend_rows: int, lines: Sequence[str]) -> float:
    """The height of a foot, in inches."""
    return 0.12 + LEGEND_ROW * legend_rows + LINE * len(lines)


def draw_foot(part: SubFigure, legend: list[Line2D], columns: int, lines: Sequence[str]) -> None:
    """Draw the foot into its part of the figure.

    Args:
        part: The lowest part.
        legend: What stands in the legend.
        columns: Of the legend.
        lines: From :func:`wrap_notes`.
    """
    part.legend(handles=legend, loc="upper center", ncols=columns, handlelength=3.4)
    part.text(0.01, 0.02, "\n".join(lines), fontsize=7.5, color="#7a2b00", va="bottom")
