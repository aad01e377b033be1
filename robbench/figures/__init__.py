"""Figures: one file each, drawn from curves; never imports torch."""

from robbench.figures.registration import figures, register_figure

__all__ = ["figures", "register_figure"]
