"""The IDX format, in which MNIST was published: http://yann.lecun.com/exdb/mnist, with and without gzip."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from robbench.datasets.contract import DatasetInfo, Split
from robbench.datasets.pixels import LabelledPixels, SourceFormat, read_bytes
from robbench.errors import UserError

_PREFIX: dict[Split, str] = {"train": "train", "test": "t10k"}
_UNSIGNED_BYTE = 0x08
_AGAIN = "Fetch the file again."


class IdxFiles(SourceFormat):
    """Grey images and their labels in two IDX files, named as MNIST's."""

    def read(self, folder: Path, split: Split, info: DatasetInfo) -> LabelledPixels | None:
        prefix = _PREFIX[split]
        images, labels = _find(folder, f"{prefix}-images", 3), _find(folder, f"{prefix}-labels", 1)
        if images is None and labels is None:
            return None
        if images is None or labels is None:
            there, missing = (labels, "images-idx3") if images is None else (images, "labels-idx1")
            raise UserError(
                f"{there} is there, but {prefix}-{missing}-ubyte, which belongs to it, is not.",
                "Put both into one folder.",
            )
        pixels = read_idx(images, 3)[:, None]
        return LabelledPixels(pixels, read_idx(labels, 1).astype(np.int64), images, "IDX files")

    def files(self, split: Split) -> str:
        prefix = _PREFIX[split]
        return f"{prefix}-images-idx3-ubyte and {prefix}-labels-idx1-ubyte (or .gz)"


def read_idx(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    The file is two zero bytes, the type (8), the number of dimensions, each dimension as a big-endian 32-bit
    number, and the values.

    Args:
        path: The file; gzip is recognised by the suffix ``.gz``.
        dimensions: How many dimensions it must have: 3 for images, 1 for labels.

    Raises:
        UserError: It is damaged: not gzip, another magic number, shorter or longer than its header says.
    """
    data = _decompressed(path)
    magic = bytes((0, 0, _UNSIGNED_BYTE, dimensions))
    if data[:4] != magic[: len(data)]:
        raise UserError(
            f"{path} is no IDX file of {dimensions} dimension(s): it starts with {data[:4].hex(' ')}, not "
            f"{magic.hex(' ')}.",
            _AGAIN,
        )
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise UserError(f"{path} breaks off in its header, after {len(data)} of {start} bytes.", _AGAIN)
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise UserError(
            f"{path} should hold {' × '.join(map(str, shape))} = {math.prod(shape)} values, but holds "
            f"{len(data) - start}.",
            f"It was cut off or added to. {_AGAIN}",
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _find(folder: Path, stem: str, dimensions: int) -> Path | None:
    # Some copies spell the name with a dot.
    names = [f"{stem}{mark}idx{dimensions}-ubyte{suffix}" for suffix in ("", ".gz") for mark in "-."]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _decompressed(path: Path) -> bytes:
    data = read_bytes(path)
    if path.suffix != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is not a whole gzip file: {error}.", _AGAIN) from error
