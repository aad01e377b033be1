"""What every source format hands over: pixels with labels, checked before they become a dataset."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from robbench.datasets.contract import ArrayDataset, DatasetInfo, Split
from robbench.errors import UserError

LOSSLESS = frozenset({"PNG", "BMP", "PPM", "GIF"})
"""Image encodings that give back the pixels they were made from."""


class LabelledPixels(NamedTuple):
    """A split as a source format read it."""

    pixels: npt.NDArray[np.uint8]
    """(n, channels, height, width)."""
    labels: npt.NDArray[np.int64]
    """(n,)."""
    path: Path
    """The file or folder that messages name."""
    kind: str
    """The source format in words."""
    encodings: tuple[str, ...] = ()
    """Pillow's names of the image encodings met, sorted; empty where the pixels lay there as they are."""


@dataclass(frozen=True)
class SourceFormat(ABC):
    """One way in which a dataset may lie on disk.

    Attributes:
        folders: Where in a data directory it may lie, the likeliest first; ``.`` is the directory itself.
    """

    folders: tuple[str, ...]

    @abstractmethod
    def read(self, folder: Path, split: Split, info: DatasetInfo) -> LabelledPixels | None:
        """The split, from this folder alone; None where the folder holds nothing of this format.

        Raises:
            UserError: The files are there, but damaged, incomplete or of another dataset.
        """

    @abstractmethod
    def files(self, split: Split) -> str:
        """The files it looks for, in words for a message."""


def to_dataset(found: LabelledPixels, info: DatasetInfo) -> ArrayDataset:
    """The dataset of what was read.

    The source text leads with the dataset's name; a lossy encoding is added to it (``cifar10-jpeg``), since
    such pixels are not the original's and results on them are not comparable to the last point.

    Raises:
        UserError: No images, images of another shape, another number of labels than of images, or a label out
            of range.
    """
    pixels, labels = found.pixels, found.labels
    if len(pixels) != len(labels):
        raise UserError(
            f"{found.path} holds {len(pixels)} images but {len(labels)} labels.",
            "Images and labels belong to different files, or one is damaged: fetch them again.",
        )
    if not len(pixels):
        raise UserError(f"{found.path} holds no images.", "Fetch the data again, or name another --data-dir.")
    if pixels.shape[1:] != info.shape:
        raise UserError(
            f"{found.path} holds images of {_size(pixels.shape[1:])}, but those of {info.title} have "
            f"{_size(info.shape)}.",
            "The files are another dataset's: name the right --data-dir, or the right --dataset.",
        )
    check_labels(labels, len(info.classes), str(found.path))
    lossy = "".join(f"-{encoding.lower()}" for encoding in found.encodings if encoding not in LOSSLESS)
    encoded = f", {'/'.join(found.encodings)}-encoded" if found.encodings else ""
    source = f"{info.name}{lossy}: {found.kind}{encoded}"
    return ArrayDataset(info.name, pixels, labels, len(info.classes), source)


def check_labels(labels: npt.NDArray[np.integer], classes: int, origin: str) -> None:
    """Refuse a label outside 0 … classes - 1.

    Raises:
        UserError: The first such label, its position, and where it was read.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise UserError(
            f"{origin}: labels lie between 0 and {classes - 1}, but number {wrong[0]} is {labels[wrong[0]]}.",
            "The data are damaged, or of another dataset.",
        )


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        UserError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the file and its permissions."
        ) from error


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
