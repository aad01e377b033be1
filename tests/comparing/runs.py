"""Complete runs with known outcomes, for the tests of comparisons."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from robbench.analysis.worst_of import curves_with_worst_of
from robbench.store import open_run
from tests.outcome_tables import GRID, example_table, outcome_table

Flags = Mapping[tuple[str, str], np.ndarray]
"""Which samples are broken at which radius, by defense and attack."""


def until(critical: Sequence[int], points: int = len(GRID)) -> np.ndarray:
    """Flags of samples that break from these positions of the grid on."""
    return np.arange(points) >= np.asarray(critical)[:, None]


def make_run(
    folder: Path,
    broken: Flags,
    grid: tuple[float, ...] = GRID,
    first: int = 0,
    weights: str = "w",
    examples: int = 0,
    titles: Mapping[str, str] | None = None,
    spec: Mapping[str, object] | None = None,
    unguided: Mapping[str, Sequence[str]] | None = None,
    **constants: Any,
) -> Path:
    """A run of these flags, each computed by a job of its own.

    Args:
        folder: Where it is kept.
        broken: What was broken.
        grid: Its radii.
        first: The index of its first sample.
        weights: What tells the weights of its defenses from others of the same names.
        examples: How many adversarial images each job keeps.
        titles: What the run prints for its defenses, where that is not their name.
        spec: What its manifest says was asked.
        unguided: The attacks that found no gradient, by defense.
        **constants: Columns of the outcomes.
    """
    names = dict.fromkeys(defense for defense, _ in broken)
    manifest = {
        "identity": "ab12",
        "spec": dict(spec or {}),
        "defenses": {
            name: {
                "title": (titles or {}).get(name, name),
                "weights_sha256": f"{weights} {name}",
                "training_seconds": 60.0,
                "unguided": list((unguided or {}).get(name, ())),
            }
            for name in names
        },
    }
    tables = []
    with open_run(folder, manifest) as store:
        for number, ((defense, attack), flags) in enumerate(broken.items()):
            indices = range(first, first + len(flags))
            keys = {
                "defense": defense,
                "attack": attack,
                "job_id": f"{zlib.crc32(bytes(folder)):08x}{number:04x}",
            }
            tables.append(outcome_table(indices, flags, grid, **{**constants, **keys}))
            store.keep_examples(keys["job_id"], example_table(indices[:examples]))
            store.append(keys["job_id"], tables[-1])
            store.complete_job(keys["job_id"], {"seconds": 2.0, "n_forward": 1000, "n_backward": 500})
        outcomes = pa.concat_tables(tables)
        store.finish(outcomes, curves_with_worst_of(outcomes, grid))
    return folder
