"""A small training, also as a process of its own that tests can kill. Usage: small.py FOLDER DEFENSE."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robbench.datasets import ArrayDataset, DatasetInfo, TrainingPlan, datasets
from robbench.models import weights_path
from robbench.training import SilentTraining, TrainingRequest, train
from robbench.training.checkpoint import checkpoint_path

INFO = replace(datasets.get("digits"), training=TrainingPlan(40, 16, "adam", 3e-3, augment=True))


def split(count: int, seed: int, shape: tuple[int, int, int] = (1, 8, 8)) -> ArrayDataset:
    """Images of ten classes that differ in the row that is bright."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 8, count)
    pixels = generator.integers(0, 80, (count, *shape)).astype(np.uint8)
    pixels[np.arange(count), :, labels] += 150
    return ArrayDataset("digits", pixels, labels, 10, "made up")


def request(
    folder: Path, defense: str = "natural", info: DatasetInfo = INFO, **changes: Any
) -> TrainingRequest:
    """A training of seconds."""
    return TrainingRequest(defense, info, split(100, 0), split(60, 1), models_dir=folder, **changes)


class Stopped(BaseException):
    """An interruption."""


class StopAt(SilentTraining):
    """Stops a training at its first report past a step, as an interruption would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_progress(self, step: int, total: int, loss: float, accuracy: float) -> None:
        if step > self.step:
            raise Stopped


def interrupted(asked: TrainingRequest, step: int = 9) -> Path:
    """Train until past a step, and return the checkpoint that is left."""
    try:
        train(replace(asked, checkpoint_seconds=0.0), StopAt(step))
    except Stopped:
        return checkpoint_path(weights_path(asked.models_dir, asked.info.name, asked.defense))
    raise AssertionError("the training ended before it could be stopped")


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(request(Path(sys.argv[1]), sys.argv[2], plan={"iterations": sys.argv[3]}, checkpoint_seconds=0.02))
