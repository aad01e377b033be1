"""CIFAR-10's Python batches, as published and as torchvision downloads them, read without running code."""

import io
import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from robbench.datasets.contract import DatasetInfo, Split
from robbench.datasets.pixels import LabelledPixels, SourceFormat, read_bytes
from robbench.errors import UserError

_BATCHES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
_AGAIN = "Fetch the data again."


class TorchvisionBatches(SourceFormat):
    """CIFAR-10's ``data_batch_1`` … ``data_batch_5`` and ``test_batch``."""

    def read(self, folder: Path, split: Split, info: DatasetInfo) -> LabelledPixels | None:
        paths = [folder / name for name in _BATCHES[split]]
        missing = [path.name for path in paths if not path.is_file()]
        if len(missing) == len(paths):
            return None
        if missing:
            raise UserError(
                f"{folder} lacks {', '.join(missing)}.", "Unpack the whole of cifar-10-python.tar.gz there."
            )
        batches = [_read_batch(path, info.shape) for path in paths]
        pixels = np.concatenate([batch.pixels for batch in batches])
        labels = np.concatenate([batch.labels for batch in batches])
        return LabelledPixels(pixels, labels, folder, "torchvision batches")

    def files(self, split: Split) -> str:
        return " … ".join(dict.fromkeys((_BATCHES[split][0], _BATCHES[split][-1])))


class _PickledType:
    """What a pickle says of a numpy dtype: its name; the rest tells of byte order and alignment."""

    def __init__(self, name: str, *_: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        pass


class _PickledArray:
    """What a pickle says of a numpy array; numpy itself would trust the statement too far."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def to_bytes(self) -> npt.NDArray[np.uint8]:
        """The array, if it is one of unsigned bytes; else a ValueError."""
        _, shape, kind, fortran, data = self.state
        if kind.name not in ("u1", "uint8"):
            raise ValueError(f"its values are {kind.name}, not unsigned bytes")
        stored = data.encode("latin1") if isinstance(data, str) else data
        return np.frombuffer(stored, np.uint8).reshape(shape, order="F" if fortran else "C")


_ADMITTED: dict[tuple[str, str], type] = {
    ("numpy.core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy", "ndarray"): _PickledArray,
    ("numpy", "dtype"): _PickledType,
}
"""The only names a batch may give: those of numpy's arrays, old and new; each becomes a record."""


# The reader in C allocates whatever a damaged index tells it, tens of gigabytes; the one in Python does not.
class _ArrayUnpickler(pickle._Unpickler):
    """Unpickles numbers, text, bytes, containers of them and arrays, nothing else.

    A pickle is a program: it may name any function and call it. Data come from strangers, so a name beyond
    those that arrays need is refused instead of looked up.
    """

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f"it names {module}.{name}, which could run code, and data need only arrays"
            )
        return _ADMITTED[module, name]


class _Batch(NamedTuple):
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def _read_batch(path: Path, shape: tuple[int, int, int]) -> _Batch:
    data = read_bytes(path)
    try:
        # The batches are Python 2's, whose byte strings latin1 maps one to one.
        pixels, labels = _fields(_ArrayUnpickler(io.BytesIO(data), encoding="latin1").load())
    except Exception as error:  # a damaged pickle raises almost anything
        raise UserError(f"{path} is not a batch of images that can be read: {error}.", _AGAIN) from error
    size = math.prod(shape)
    if pixels.shape != (len(labels), size):
        raise UserError(
            f"{path}: the {len(labels)} labels need {len(labels)} × {size} pixel values, but there are "
            f"{' × '.join(map(str, pixels.shape))}.",
            f"The file is damaged or another dataset's. {_AGAIN}",
        )
    return _Batch(pixels.reshape(-1, *shape), labels)


def _fields(batch: object) -> _Batch:
    """The two fields of a batch that count; a ValueError where they are not what they should be."""
    content: dict[object, object] = batch if isinstance(batch, dict) else {}
    pixels, labels = (content.get(name, content.get(name.encode())) for name in ("data", "labels"))
    if not isinstance(pixels, _PickledArray) or not isinstance(labels, list):
        raise ValueError("it lacks an array `data` or a list `labels`")
    if not all(type(label) is int for label in labels):
        raise ValueError("its labels are not whole numbers")
    return _Batch(pixels.to_bytes(), np.array(labels, np.int64))
