"""How many columns a figure's legend has, so that every name is seen whole."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

LEGEND_ROW = 0.19
"""Height of a row, in inches."""
_MOST = 6
_CHARACTER, _HANDLE = 0.072, 0.8
"""Width of a character, and of a line with the space around it, in inches; both generous."""


def legend_columns(lines: Sequence[Line2D], width: float) -> int:
    """As many columns as fit side by side in ``width`` inches; matplotlib fills them one after another."""
    labels = [str(line.get_label()) for line in lines]
    for rows in range(1, len(labels)):
        columns = math.ceil(len(labels) / rows)
        longest = [
            max(map(len, column)) for column in np.array_split(np.array(labels, dtype=object), columns)
        ]
        if columns <= _MOST and sum(_HANDLE + _CHARACTER * n for n in longest) <= width:
            return columns
    return 1
