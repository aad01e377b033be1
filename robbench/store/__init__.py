"""The store: one folder per run, written so that a kill loses nothing, and read with care."""

from robbench.store.reading import RunCurves, find_runs, read_curves, read_outcomes, read_some_curves
from robbench.store.run import RunStore, open_run

__all__ = [
    "RunCurves",
    "RunStore",
    "find_runs",
    "open_run",
    "read_curves",
    "read_outcomes",
    "read_some_curves",
]
