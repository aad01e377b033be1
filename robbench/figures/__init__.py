"""Figures: one file each, drawn from curves; never imports torch."""

from robbench.figures.plotting import Plotted, plot
from robbench.figures.registration import figures, register_figure

__all__ = ["Plotted", "figures", "plot", "register_figure"]
