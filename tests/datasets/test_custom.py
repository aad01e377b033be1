"""A user's own arrays: what is taken, and what is told about the rest."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robbench.datasets import from_arrays
from robbench.errors import UserError

from .files import random_pixels

_FLOATS = np.random.default_rng(0).random((3, 1, 4, 5))
_LABELS = np.array([0, 2, 1])
_BATCH = [torch.tensor(_FLOATS), torch.tensor(_LABELS)]


def _images(dataset):
    return dataset.samples(torch.arange(len(dataset))).images.numpy()


@pytest.mark.parametrize(
    "images",
    [
        _FLOATS,
        _FLOATS.astype(np.float32),
        _FLOATS.tolist(),
        torch.tensor(_FLOATS, requires_grad=True),
        list(torch.tensor(_FLOATS, requires_grad=True)),
        _FLOATS[::-1][::-1],
    ],
)
@pytest.mark.parametrize(
    "labels",
    [_LABELS, _LABELS.astype(np.uint8), _LABELS.tolist(), torch.tensor(_LABELS), list(torch.tensor(_LABELS))],
)
def test_floats_come_back_in_single_precision(images, labels):
    dataset = from_arrays(images, labels)
    np.testing.assert_array_equal(_images(dataset), _FLOATS.astype(np.float32))
    assert dataset.labels.tolist() == [0, 2, 1]
    assert (dataset.name, dataset.shape, dataset.classes) == ("custom", (1, 4, 5), 3)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_taken(kind):
    images = torch.tensor(_FLOATS).to(kind)
    np.testing.assert_array_equal(_images(from_arrays(images, _LABELS)), images.float().numpy())


def test_bytes_are_divided_by_255():
    pixels = random_pixels(3, 3, 4, 5)
    for images in (pixels, torch.from_numpy(pixels)):
        np.testing.assert_array_equal(_images(from_arrays(images, _LABELS)), pixels.astype(np.float32) / 255)


@settings(deadline=None)
@given(images=arrays(np.float64, st.tuples(*[st.integers(1, 3)] * 4), elements=st.floats(0, 1)))
def test_any_images_in_the_box_are_taken(images):
    dataset = from_arrays(images, np.zeros(len(images), int))
    np.testing.assert_array_equal(_images(dataset), images.astype(np.float32))


def test_a_column_of_features_has_its_channels_first():
    assert from_arrays(np.zeros((3, 64, 1, 1)), _LABELS).shape == (64, 1, 1)


def test_the_users_array_is_not_shared():
    images = _FLOATS.astype(np.float32)
    dataset = from_arrays(images, _LABELS)
    images[:] = 0
    assert _images(dataset).max() > 0


def test_the_classes_may_be_more_than_the_labels_show():
    assert from_arrays(_FLOATS, _LABELS, classes=10).classes == 10


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (_FLOATS[:, 0], _LABELS, "four axes"),
        (np.zeros((3, 28, 28, 1)), _LABELS, r"look like \(n, height, width, 1\)"),
        (np.zeros((3, 8, 8, 3)), _LABELS, r"look like \(n, height, width, 3\)"),
        (_FLOATS[:0], _LABELS[:0], "no images"),
        (_FLOATS[:, :0], _LABELS, "no images"),
        (_FLOATS * 255, _LABELS, r"reach from \d\.\d+ to 25\d"),
        (_FLOATS - 0.5, _LABELS, "reach from -0.4"),
        (np.where(_FLOATS > 0.5, np.nan, _FLOATS), _LABELS, "not finite"),
        (np.where(_FLOATS > 0.5, np.inf, _FLOATS), _LABELS, "not finite"),
        ((_FLOATS * 255).astype(np.int64), _LABELS, "not int64"),
        (_FLOATS > 0.5, _LABELS, "not bool"),
        (_FLOATS.astype(complex), _LABELS, "not complex128"),
        (_FLOATS.astype(str), _LABELS, "not <U"),
        ([[1, 2], [3]], _LABELS, "images do not form an array"),
        (torch.tensor(_FLOATS).to_sparse(), _LABELS, "images do not form an array"),
        (torch.zeros(3, 1, 4, 5, device="meta"), _LABELS, "images do not form an array"),
        ([[torch.zeros(2, requires_grad=True)]], _LABELS, "images do not form an array"),
        (_FLOATS, torch.zeros(3, dtype=torch.int64, device="meta"), "labels do not form an array"),
        (_BATCH, _BATCH, "of a DataLoader, its batches"),
        (_BATCH[:1] * 2, _BATCH[1:] * 2, "of a DataLoader, its batches"),
        (None, _LABELS, "four axes"),
        (_FLOATS, _LABELS[:2], "3 images but 2 labels"),
        (_FLOATS, np.eye(3, dtype=int), "labels have the shape|Labels have one axis"),
        (_FLOATS, _LABELS.astype(float), "not float64"),
        (_FLOATS, _LABELS > 0, "not bool"),
        (_FLOATS, -_LABELS, "number 1 is -2"),
        (_FLOATS, [[1], [2, 3], [4]], "labels do not form an array"),
    ],
)
def test_what_is_no_dataset_is_told(images, labels, message):
    with pytest.raises(UserError, match=message):
        from_arrays(images, labels)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantized_images_are_refused():
    quantized = torch.quantize_per_tensor(torch.tensor(_FLOATS).float(), 1 / 255, 0, torch.quint8)
    with pytest.raises(UserError, match="images do not form an array"):
        from_arrays(quantized, _LABELS)


@pytest.mark.parametrize(
    ("labels", "hint"), [(_LABELS[:, None], r"labels\[:, 0\]"), (np.eye(3, dtype=int), r"argmax\(1\)")]
)
def test_a_column_of_labels_is_not_taken_for_one_hot(labels, hint):
    with pytest.raises(UserError, match=hint):
        from_arrays(_FLOATS, labels)


def test_a_label_beyond_the_classes_is_told():
    with pytest.raises(UserError, match="between 0 and 1, but number 1 is 2"):
        from_arrays(_FLOATS, _LABELS, classes=2)
