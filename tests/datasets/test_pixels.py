"""What was read becomes a dataset only if it is one."""

from pathlib import Path

import numpy as np
import pytest

from robbench.datasets.cifar10 import CIFAR10
from robbench.datasets.pixels import LabelledPixels, read_bytes, to_dataset
from robbench.errors import UserError

from .files import random_pixels

_IMAGES = random_pixels(4, 3, 32, 32)


def _found(pixels=_IMAGES, labels=(0, 1, 2, 9), encodings=()):
    return LabelledPixels(pixels, np.array(labels, np.int64), Path("some/file"), "Kind", encodings)


def test_pixels_and_labels_are_those_read():
    dataset = to_dataset(_found(), CIFAR10)
    np.testing.assert_array_equal(dataset.pixels.numpy(), _IMAGES)
    assert dataset.labels.tolist() == [0, 1, 2, 9]
    assert (dataset.name, dataset.classes, dataset.scale) == ("cifar10", 10, 255)


@pytest.mark.parametrize(
    ("encodings", "source"),
    [
        ((), "cifar10: Kind"),
        (("PNG",), "cifar10: Kind, PNG-encoded"),
        (("JPEG",), "cifar10-jpeg: Kind, JPEG-encoded"),
        (("JPEG", "PNG"), "cifar10-jpeg: Kind, JPEG/PNG-encoded"),
        (("WEBP",), "cifar10-webp: Kind, WEBP-encoded"),
    ],
)
def test_the_source_tells_pixels_that_are_not_the_originals(encodings, source):
    assert to_dataset(_found(encodings=encodings), CIFAR10).source == source


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (_found(labels=(0, 1, 2)), "some/file holds 4 images but 3 labels"),
        (_found(random_pixels(0, 3, 32, 32), ()), "some/file holds no images"),
        (
            _found(random_pixels(4, 1, 28, 28)),
            "images of 1 × 28 × 28, but those of CIFAR-10 have 3 × 32 × 32",
        ),
        (_found(labels=(0, 1, 10, 2)), "between 0 and 9, but number 2 is 10"),
        (_found(labels=(0, -1, 1, 2)), "between 0 and 9, but number 1 is -1"),
    ],
)
def test_what_does_not_fit_is_refused(found, message):
    with pytest.raises(UserError, match=message):
        to_dataset(found, CIFAR10)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path} cannot be read: Is a directory"):
        read_bytes(tmp_path)
