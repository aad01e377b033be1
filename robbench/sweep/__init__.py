"""Sweeping: from a specification to one row per sample, over a whole grid of ε."""
