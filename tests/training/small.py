"""A small training, also as a process of its own that tests can kill. Usage: small.py FOLDER DEFENSE."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from robbench.datasets import ArrayDataset, DatasetInfo, TrainingPlan, datasets
from robbench.training import TrainingRequest, train

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


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(request(Path(sys.argv[1]), sys.argv[2], plan={"iterations": sys.argv[3]}, checkpoint_seconds=0.02))
