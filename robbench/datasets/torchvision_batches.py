"""CIFAR-10's Python batches, as published and as torchvision downloads them, read without running code."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from robbench.datasets.contract import DatasetInfo, Split
from robbench.datasets.pixels import LabelledPixels, SourceFormat, read_bytes
from robbench.errors import UserError

_BATCHES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
_RECONSTRUCT = np.empty(0).__reduce__()[0]
"""The function that numpy's pickles name to rebuild an array."""
_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
"""The only globals a batch may name, whatever numpy version wrote it: those that rebuild an array."""


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


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles numbers, text, bytes, containers of them and numpy arrays, nothing else.

    A pickle is a program: it may name any function and call it. Data come from strangers, so a name beyond
    those that arrays need is refused instead of looked up.
    """

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f"it names {module_name}.{global_name}, which could run code, and data need only arrays"
            )
        return _ADMITTED[module_name, global_name]


def _read_batch(path: Path, shape: tuple[int, int, int]) -> LabelledPixels:
    data = read_bytes(path)
    try:
        # The batches are Python 2's, whose byte strings latin1 maps one to one.
        batch = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:  # a damaged pickle raises almost anything
        raise UserError(
            f"{path} is not a batch of images that can be read: {error}.", "Fetch the data again."
        ) from error
    fields = {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    pixels, labels = fields.get("data"), fields.get("labels")
    if not isinstance(pixels, np.ndarray) or not isinstance(labels, list):
        raise UserError(
            f"{path} should hold an array `data` and a list `labels`; it holds "
            f"{', '.join(sorted(fields)) or 'neither'}.",
            "Fetch the data again.",
        )
    size = int(np.prod(shape))
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != size:
        raise UserError(
            f"{path}: `data` should be n × {size} of uint8, but is {' × '.join(map(str, pixels.shape))} of "
            f"{pixels.dtype}.",
            "The file is another dataset's: name the right --data-dir, or the right --dataset.",
        )
    if not all(type(label) is int and abs(label) < 2**31 for label in labels):
        raise UserError(f"{path}: `labels` should be whole numbers.", "Fetch the data again.")
    if len(labels) != len(pixels):
        raise UserError(
            f"{path} holds {len(pixels)} images but {len(labels)} labels.", "Fetch the data again."
        )
    return LabelledPixels(pixels.reshape(-1, *shape), np.array(labels, np.int64), path, "")


def _text(key: object) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)
