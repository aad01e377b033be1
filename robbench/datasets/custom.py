"""A user's own arrays as a dataset, checked before anything runs on them."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from robbench.datasets.contract import (
    ArrayDataset,
    Dataset,
    DatasetInfo,
    InnerAttack,
    Quantization,
    TrainingPlan,
)
from robbench.datasets.pixels import check_labels
from robbench.epsilon import EpsilonUnit
from robbench.errors import UserError

_EXPECTED = "Give an array or a tensor; of a DataLoader, its batches put together by torch.cat."
_SMALLEST_SIDE = 8
"""From here on a square with one or three values on the last axis is an image with its channels last."""


def from_arrays(images: object, labels: object, classes: int | None = None) -> ArrayDataset:
    """The dataset of a user's images and labels.

    Args:
        images: (n, channels, height, width), numpy, torch, a list of tensors or nested lists: floats in
            [0, 1] of any precision, or uint8 of 0 to 255.
        labels: (n,), whole numbers from 0.
        classes: The number of classes; None: the largest label plus 1.

    Raises:
        UserError: Another shape, type or range, a value that is not finite, no sample, or another number of
            labels than of images.
    """
    pixels = _checked_images(_as_array(images, "images"))
    classified = _checked_labels(_as_array(labels, "labels"), len(pixels))
    count = int(classified.max()) + 1 if classes is None else classes
    check_labels(classified, count, "The labels")
    scale = 255 if pixels.dtype == np.uint8 else 1
    return ArrayDataset("custom", pixels, classified, count, "custom: arrays handed over", scale)


def custom_info(dataset: Dataset) -> DatasetInfo:
    """The place of a user's own arrays in the benchmark: 100 attack steps, and no radii of their own."""

    def no_source(data_dir: object, split: object) -> Dataset:
        raise UserError("Arrays handed over have no other split.", "Hand over the arrays of that split.")

    return DatasetInfo(
        name="custom",
        title="Own data",
        shape=dataset.shape,
        classes=tuple(map(str, range(dataset.classes))),
        epsilon=0.0,
        grid=(),
        unit=EpsilonUnit(1),
        attack_steps=100,
        network="",
        quantization=Quantization(1, 1000.0),
        noise=0.0,
        inner_attack=InnerAttack(0.0, 1, 0.0),
        training=TrainingPlan(iterations=1, batch_size=1),
        load=no_source,
    )


def _as_array(values: object, what: str) -> npt.NDArray[np.generic]:
    try:
        if isinstance(values, list | tuple) and values and all(isinstance(each, Tensor) for each in values):
            values = torch.stack([each.detach().cpu() for each in values])
        return _in_numpy(values.detach().cpu()) if isinstance(values, Tensor) else np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # inside a tensor there may be no plain numbers
        reason = str(error).partition("\n")[0].rstrip(".")
        raise UserError(f"The {what} do not form an array: {reason}.", _EXPECTED) from error


def _in_numpy(tensor: Tensor) -> npt.NDArray[np.generic]:
    # numpy knows no bfloat16.
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def _checked_images(images: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    if images.ndim != 4:
        raise UserError(
            f"Images have four axes, (n, channels, height, width); these have the shape {images.shape}.",
            _EXPECTED
            if images.ndim > 4
            else "Grey images without an axis for the channel gain one by images[:, None].",
        )
    _, first, second, last = images.shape
    if last in (1, 3) and first == second >= _SMALLEST_SIDE:
        raise UserError(
            f"Images have the axes (n, channels, height, width); these look like (n, height, width, {last}), "
            f"with the shape {images.shape}.",
            "Move the channels: images.transpose(0, 3, 1, 2), of a tensor images.permute(0, 3, 1, 2).",
        )
    if images.size == 0:
        raise UserError(f"There are no images: the shape is {images.shape}.", "Give at least one sample.")
    if images.dtype == np.uint8:
        return images.astype(np.uint8, copy=False)
    if not np.issubdtype(images.dtype, np.floating):
        raise UserError(
            f"Images are floats in [0, 1] or uint8, not {images.dtype}.",
            "Whole numbers of 0 to 255 become uint8 by images.astype('uint8').",
        )
    pixels = images.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise UserError("The images hold values that are not finite.", "Find and remove the NaN or infinity.")
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > 1:
        raise UserError(
            f"Images lie in [0, 1]; these reach from {low:.4g} to {high:.4g}.",
            "Divide pixel values of 0 to 255 by 255; let the model itself normalise what comes in [0, 1].",
        )
    return pixels


def _checked_labels(labels: npt.NDArray[np.generic], count: int) -> npt.NDArray[np.int64]:
    if labels.ndim != 1:
        raise UserError(
            f"Labels have one axis; these have the shape {labels.shape}.",
            "Of a single column, take labels[:, 0]."
            if labels.ndim == 2 and labels.shape[1] == 1
            else "One-hot labels become numbers by labels.argmax(1).",
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"Labels are whole numbers from 0, not {labels.dtype}.", "Try labels.astype('int64')."
        )
    if len(labels) != count:
        raise UserError(
            f"There are {count} images but {len(labels)} labels.", "Give one label for each image."
        )
    return labels.astype(np.int64)
