"""Digits: 1 797 handwritten digits of 8 × 8, bundled with scikit-learn (Alpaydin and Kaynak 1998, UCI)."""

import hashlib
from pathlib import Path

import numpy as np

from robbench.datasets.contract import (
    ArrayDataset,
    DatasetInfo,
    InnerAttack,
    Quantization,
    Split,
    TrainingPlan,
)
from robbench.datasets.registration import register_dataset
from robbench.datasets.sources import named_directory
from robbench.epsilon import EpsilonUnit, parse_grid

_TEST_PER_CLASS = 36
_LARGEST_PIXEL = 16


def _load(data_dir: Path | None, split: Split) -> ArrayDataset:
    """Read a split; a data directory is not needed, but one that is named must exist."""
    if data_dir is not None:
        named_directory(data_dir)
    from sklearn.datasets import load_digits

    flat, target = load_digits(return_X_y=True)
    pixels, labels = np.asarray(flat, np.uint8).reshape(-1, 1, 8, 8), np.asarray(target, np.int64)
    rows = _split_by_hash([image.tobytes() for image in pixels], labels.tolist())[split]
    source = "digits: scikit-learn's copy of the UCI handwritten digits"
    return ArrayDataset("digits", pixels[rows], labels[rows], 10, source, _LARGEST_PIXEL)


def _split_by_hash(images: list[bytes], labels: list[int]) -> dict[Split, list[int]]:
    """The rows of either split: 36 of each class are the test split.

    The split and its order follow from the pixels alone, so no version of any library can change them.
    """
    order = sorted(range(len(images)), key=lambda row: hashlib.sha256(images[row]).digest())
    rows: dict[Split, list[int]] = {"train": [], "test": []}
    taken = [0] * 10
    for row in order:
        taken[labels[row]] += 1
        rows["test" if taken[labels[row]] <= _TEST_PER_CLASS else "train"].append(row)
    return rows


DIGITS = register_dataset(
    DatasetInfo(
        name="digits",
        title="Digits",
        shape=(1, 8, 8),
        classes=tuple("0123456789"),
        epsilon=0.3,
        grid=parse_grid("0:0.3:13"),
        unit=EpsilonUnit(1),
        attack_steps=100,
        network="digits_cnn",
        quantization=Quantization(1, 1000.0),
        noise=0.3,
        inner_attack=InnerAttack(0.3, 10, 0.075),
        training=TrainingPlan(3_000, 100, "adam", 1e-3),
        load=_load,
    )
)
