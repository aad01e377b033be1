"""Folders of class folders of image files."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from robbench.datasets.contract import DatasetInfo, Split
from robbench.datasets.image_decoding import EncodedImage, decode_images
from robbench.datasets.pixels import LabelledPixels, SourceFormat, read_bytes
from robbench.errors import UserError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm", ".gif"})


class ImageFiles(NamedTuple):
    """The labelled image files of a folder.

    They are ordered by a hash of their names: the first thousand are then a fair sample of all classes, the
    same on every machine.
    """

    folder: Path
    names: tuple[str, ...]
    """Each file's path from ``folder``, with forward slashes."""
    labels: npt.NDArray[np.int64]
    classes: int
    """The largest label that the folder's names allow, plus 1."""
    numbered: tuple[str, ...]
    """The class folders, where nothing but their order numbers them; else empty."""


@dataclass(frozen=True)
class ImageFolder(SourceFormat):
    """Class folders, named after classes or their numbers, in a folder ``test`` (or ``val``) or ``train``."""

    def read(self, folder: Path, split: Split, info: DatasetInfo) -> LabelledPixels | None:
        inner = next((folder / name for name in _split_folders(split) if (folder / name).is_dir()), None)
        files = None if inner is None else list_images(inner, info.classes)
        if inner is None or files is None:
            return None

        def fetch(index: int) -> EncodedImage:
            path = inner / files.names[index]
            return EncodedImage(read_bytes(path), str(path))

        images = decode_images(len(files.names), fetch, info.shape)
        return LabelledPixels(images.pixels, files.labels, inner, "image folder", images.encodings)

    def files(self, split: Split) -> str:
        return f"{' or '.join(_split_folders(split))}/<class>/*.png"


def list_images(folder: Path, classes: Sequence[str] = ()) -> ImageFiles | None:
    """The image files in the class folders of a folder; None where none of its folders holds an image.

    A class folder's label is its place in ``classes``; without those, its name where all names are numbers,
    else its place in the sorted order of the names.

    Args:
        folder: The folder of class folders.
        classes: The names that class folders may have beside numbers; empty: any.

    Raises:
        UserError: A folder is no class, or one that counts in the order is empty.
    """
    found = {name: _images_in(folder / name) for name in _subfolders(folder)}
    if not any(found.values()):
        return None
    labels = _label_folders(folder, list(found), classes)
    pairs = [(f"{name}/{file}", labels[name]) for name, files in found.items() for file in files]
    pairs.sort(key=lambda pair: (hashlib.sha256(os.fsencode(pair[0])).digest(), pair[0]))
    empty = [name for name, files in found.items() if not files]
    if empty and not _are_numbers(found):
        raise UserError(
            f"{folder / empty[0]} holds no images, but its name counts as a class.",
            "Remove the folder, or put its images there.",
        )
    return ImageFiles(
        folder,
        tuple(name for name, _ in pairs),
        np.array([label for _, label in pairs], np.int64),
        max(labels.values()) + 1,
        () if classes or _are_numbers(found) else tuple(found),
    )


def _split_folders(split: Split) -> tuple[str, ...]:
    return ("train",) if split == "train" else ("test", "val", "validation")


def _label_folders(folder: Path, names: list[str], classes: Sequence[str]) -> dict[str, int]:
    if classes and all(name in classes for name in names):
        return {name: classes.index(name) for name in names}
    if _are_numbers(names):
        return {name: int(name) for name in names}
    if classes:
        stranger = next(name for name in names if name not in classes)
        raise UserError(
            f"{folder / stranger} is named after no class.",
            f"Name the class folders by number, or {', '.join(classes)}.",
        )
    return {name: label for label, name in enumerate(names)}


def _are_numbers(names: Sequence[str] | dict[str, list[str]]) -> bool:
    return all(name.isascii() and name.isdigit() and len(name) < 10 for name in names)


def _subfolders(folder: Path) -> list[str]:
    return sorted(
        entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")
    )


def _images_in(folder: Path) -> list[str]:
    names = (entry.name for entry in os.scandir(folder) if entry.is_file())
    return sorted(
        name for name in names if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
    )
