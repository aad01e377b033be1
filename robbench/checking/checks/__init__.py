"""The checks, one file for each question or two that belong together."""
