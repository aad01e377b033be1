"""The sample images that foolbox ships: a few of MNIST, CIFAR-10 and ImageNet, with nothing to download."""

import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from robbench.errors import UserError

_SIDE = 112
"""Photographs are shrunk to this side, so that what is committed stays small."""


def sample_folder() -> Path:
    """Where foolbox keeps them.

    Raises:
        UserError: foolbox is not installed.
    """
    found = importlib.util.find_spec("foolbox")
    if found is None or found.origin is None:
        raise UserError("The sample images come with foolbox, which is not installed.", "pip install foolbox")
    return Path(found.origin).parent / "data"


def sample_files(dataset: str) -> list[Path]:
    """The files of a dataset, named ``<dataset>_<number>_<label>``, in the order of their numbers.

    Raises:
        UserError: There are none.
    """
    files = sorted(sample_folder().glob(f"{dataset}_*"))
    if not files:
        raise UserError(f"The installed foolbox ships no sample images of {dataset}.")
    return files


def sample_pictures(dataset: str, count: int) -> npt.NDArray[np.uint8]:
    """The first images of a dataset: (count, height, width, channels), 1 channel for MNIST."""
    return np.stack([_read(path, dataset) for path in sample_files(dataset)[:count]])


def _read(path: Path, dataset: str) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        if dataset == "mnist":
            return np.asarray(image.convert("L"))[..., None]
        colour = image.convert("RGB")
        small = colour.resize((_SIDE, _SIDE), Image.Resampling.BOX) if dataset == "imagenet" else colour
        return np.asarray(small)
