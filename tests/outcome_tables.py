"""Outcome tables with known content, for the tests of store, analysis and figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from robbench.schema import EXAMPLES, OUTCOMES, arrow_schema

JOB = "00ff00ff00ff00ff"
GRID = (0.0, 0.1, 0.2, 0.3)


def outcome_table(
    indices: Sequence[int], broken: np.ndarray | None = None, grid: tuple[float, ...] = GRID, **constants: Any
) -> pa.Table:
    """Rows for these samples; without ``broken``, sample i breaks from grid point i mod (points + 1) on."""
    points = len(grid)
    if broken is None:
        first = np.asarray(indices, dtype=int) % (points + 1)
        broken = np.arange(points) >= first[:, None]
    critical = [grid[int(np.argmax(row))] if row.any() else None for row in broken]
    values: dict[str, Any] = {
        "dataset": "digits",
        "defense": "natural",
        "attack": "pgd100",
        "backend": "native",
        "view": "exact",
        "loss": "ce",
        "norm": "linf",
        "criterion": "top1",
        "strategy": "survivors",
        "seed": 0,
        "job_id": JOB,
        "clean_pred": 1,
        "label": 1,
        "n_forward": 10.5,
        "n_backward": 10.0,
    } | constants
    columns: dict[str, Any] = {name: [value] * len(indices) for name, value in values.items()}
    columns |= {
        "sample_index": list(indices),
        "sample_id": [f"{index:016x}" for index in indices],
        "clean_correct": [not row[0] for row in broken],
        "broken": [row.tolist() for row in broken],
        "critical_epsilon": critical,
        "distance": critical,
        "adv_pred": [None if epsilon is None else 3 for epsilon in critical],
    }
    return pa.Table.from_pydict(columns, schema=arrow_schema(OUTCOMES))


def example_table(indices: Sequence[int], shape: tuple[int, int, int] = (1, 2, 3)) -> pa.Table:
    """Images that get lighter with the index, each broken at 0.2 by adding 0.15 everywhere."""
    images = [np.full(shape, index % 8 / 10, "<f4") for index in indices]
    channels, height, width = shape
    constants: dict[str, Any] = {
        "label": 1,
        "clean_pred": 1,
        "adv_pred": 3,
        "critical_epsilon": 0.2,
        "distance": 0.15,
        "channels": channels,
        "height": height,
        "width": width,
    }
    columns: dict[str, Any] = {name: [value] * len(indices) for name, value in constants.items()}
    columns |= {
        "sample_index": list(indices),
        "sample_id": [f"{index:016x}" for index in indices],
        "image": [image.tobytes() for image in images],
        "adversarial": [(image + np.float32(0.15)).tobytes() for image in images],
    }
    return pa.Table.from_pydict(columns, schema=arrow_schema(EXAMPLES))
