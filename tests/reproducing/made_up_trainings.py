"""A shelf with made-up runs of fast trainings: no result of anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from robbench.reproducing.fast_training.settings import AUTOATTACK, BPDA, DIGITS, PGD
from robbench.reproducing.shelf import TRAININGS, Shelf
from robbench.reproducing.trainings import COLUMNS
from robbench.store.layout import RUN
from tests.comparing.runs import make_run, until

GRID = tuple(float(epsilon) for epsilon in np.linspace(0, 0.3, 7))
TRAINING = {
    "dataset": "digits",
    "folder": "",
    "seed": 0,
    "iterations": 3000,
    "recipe_iterations": 3000,
    "deviations": "",
    "batch_size": 100,
    "held_out": 143,
    "seconds": 50.0,
    "n_forward": 300_000,
    "n_backward": 300_000,
    "peak_memory": 900_000_000,
    "memory_measure": "resident memory",
    "overfitting": "no collapse",
    "clean_accuracy": 0.9,
    "test_samples": 1000,
    "device": "here",
    "precision": "float32",
    "date": "2026-11-21",
    "source": "digits",
    "command": "robbench train",
}


@dataclass(frozen=True)
class MadeUp:
    """A defense: of 1 000 samples, how many survive without an attack, under PGD and under AutoAttack."""

    clean: int
    pgd: int
    autoattack: int | None
    training: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""


class _Model(NamedTuple):
    name: str
    title: str
    weights: str


def put_on(
    shelf: Shelf,
    defenses: Mapping[str, MadeUp],
    samples: int = 1000,
    identity: str = "0" * 16,
    seed: int = 0,
    strongest_samples: int = 1000,
) -> None:
    """Write the runs of some defenses on digits, and what is known of their trainings beside those there."""
    known = {row["sha256"]: row for row in shelf.trainings().to_dict("records")}
    for name, made in defenses.items():
        curves, strongest = DIGITS.runs_of(name, seed)
        model = _Model(name, made.title or name.upper(), f"weights of {name}, seed {seed}")
        flags = _flags(made.clean, made.pgd, len(GRID), samples)
        _write(shelf.run_folder(curves, identity), model, {PGD: flags, BPDA: flags}, GRID)
        if made.autoattack is not None:
            flags = _flags(made.clean, made.autoattack, 2, min(samples, strongest_samples))
            folder = shelf.run_folder(strongest, identity)
            _write(folder, model, {AUTOATTACK: flags}, (0.0, 0.3))
        own = {"defense": name, "seed": seed, "folder": curves.training.folder, "sha256": model.weights}
        known[model.weights] = {**TRAINING, **made.training, **own}
    table = pd.DataFrame(list(known.values())).reindex(columns=list(COLUMNS))
    table.to_csv(shelf.folder / TRAININGS, index=False)


def _flags(clean: int, robust: int, points: int, samples: int) -> np.ndarray:
    """The first survive everything, the next break at the last radius, the rest are clean errors."""
    critical = [points] * robust + [points - 1] * (clean - robust) + [0] * (1000 - clean)
    return until(critical, points)[:samples]


def _write(folder: Path, model: _Model, broken: Mapping[str, np.ndarray], grid: tuple[float, ...]) -> None:
    make_run(
        folder,
        {(model.name, attack): flags for attack, flags in broken.items()},
        grid,
        dataset="digits",
        view="exact",
    )
    manifest = json.loads((folder / RUN).read_text(encoding="utf-8"))
    samples = len(next(iter(broken.values())))
    manifest["spec"] = {"eps_grid": list(grid), "samples": None, "attacks": list(broken)}
    manifest["dataset"] = {"name": "digits", "source": "digits", "samples": samples, "fingerprint": "f"}
    manifest["dataset"]["classes"] = list("0123456789")
    manifest["defenses"][model.name] |= {"title": model.title, "weights_sha256": model.weights}
    manifest |= {"device": "here", "versions": {"robbench": "0"}, "command": "robbench reproduce"}
    (folder / RUN).write_text(json.dumps(manifest), encoding="utf-8")
