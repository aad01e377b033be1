"""Figures: one file each, drawn from curves; never imports torch."""
