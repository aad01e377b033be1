"""A dataset of image files that are decoded when asked for, so that memory stays flat."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from robbench.datasets.contract import Dataset, Samples, pixel_hash
from robbench.datasets.image_decoding import EncodedImage, decode_image
from robbench.datasets.image_folder import ImageFiles
from robbench.datasets.pixels import read_bytes

_CROPPED_SHARE = 0.875
"""Side of the crop over the shorter side of the resized image, as Inception-v3 is evaluated."""

_HASHED_TOGETHER = 1024
"""Files that wait for their hash at a time, so that memory stays flat."""


class StreamedImages(Dataset):
    """RGB image files, each resized, cropped and hashed when it is asked for.

    Args:
        name: The registered name.
        files: The files and their labels.
        size: Height and width of every image that comes out.
        source: Where the samples came from, in words.
    """

    def __init__(self, name: str, files: ImageFiles, size: int, source: str) -> None:
        self.name = name
        self.source = source
        self.shape = (3, size, size)
        self.classes = files.classes
        self.labels = torch.from_numpy(files.labels)
        self.numbered_folders = files.numbered
        self.files = files

    def samples(self, indices: Tensor) -> Samples:
        with ThreadPoolExecutor() as pool:
            decoded = list(pool.map(self._pixels, indices.tolist()))
        pixels = np.stack(decoded) if decoded else np.empty((0, *self.shape), np.uint8)
        ids = tuple(pixel_hash(image) for image in decoded)
        return Samples(torch.from_numpy(pixels).float() / 255, self.labels[indices], ids)

    @property
    def fingerprint(self) -> str:
        """A hash over every file's name, contents and label, in order; every file is read for it, once."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        files = zip(self.files.names, self._contents(), self.files.labels.tolist(), strict=True)
        for name, content, label in files:
            # As bytes: a name need not be UTF-8.
            digest.update(os.fsencode(name) + f"\0{content}\0{label}\n".encode())
        return digest.hexdigest()[:16]

    def _contents(self) -> Iterator[str]:
        """A hash of every file, in order."""

        def hash_of(name: str) -> str:
            return hashlib.sha256(read_bytes(self.files.folder / name)).hexdigest()

        with ThreadPoolExecutor() as pool:
            for begin in range(0, len(self.files.names), _HASHED_TOGETHER):
                yield from pool.map(hash_of, self.files.names[begin : begin + _HASHED_TOGETHER])

    def first(self, count: int) -> "StreamedImages":
        files = self.files._replace(names=self.files.names[:count], labels=self.files.labels[:count])
        return StreamedImages(self.name, files, self.shape[1], self.source)

    def _pixels(self, index: int) -> npt.NDArray[np.uint8]:
        path = self.files.folder / self.files.names[index]
        return decode_image(EncodedImage(read_bytes(path), str(path)), 3, self._fit).pixels

    def _fit(self, image: Image.Image) -> Image.Image:
        return crop_center(image, self.shape[1])


def crop_center(image: Image.Image, size: int) -> Image.Image:
    """The central square of an image whose shorter side is first resized to size / 0.875, bilinearly.

    This is how torchvision evaluates Inception-v3 (shorter side 342, crop 299). An image that has the size
    already is taken as it is: it was prepared before.

    Args:
        image: The image, of any size.
        size: Height and width of the result, in pixels.
    """
    if image.size == (size, size):
        return image
    shorter = round(size / _CROPPED_SHARE)
    width, height = (max(shorter, int(shorter * side / min(image.size))) for side in image.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))
