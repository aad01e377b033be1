"""The registry of figures."""

from collections.abc import Callable
from functools import wraps

import pandas as pd
from matplotlib.figure import Figure

from robbench.figures.house_style import house_style
from robbench.registry import Registry

Draw = Callable[[pd.DataFrame], Figure]
"""Draws the curves of one dataset in one norm: columns as in :data:`robbench.schema.CURVES`, not empty.

The docstring's first line describes the figure.
"""

figures: Registry[Draw] = Registry("figure", "robbench.figures", "robbench list figures")


def register_figure(name: str) -> Callable[[Draw], Draw]:
    """A decorator that makes a drawing function known by its name, and lets it draw in the house style."""

    def add(draw: Draw) -> Draw:
        @wraps(draw)
        def styled(curves: pd.DataFrame) -> Figure:
            with house_style():
                return draw(curves)

        return figures.register(name)(styled)

    return add
