"""CIFAR-10's batches: read as published, and never as a program."""

import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robbench.datasets.cifar10 import CIFAR10
from robbench.datasets.contract import Split
from robbench.datasets.torchvision_batches import TorchvisionBatches
from robbench.errors import UserError

from .files import python2_batch, random_pixels, write_batch

_BATCHES = TorchvisionBatches((".",))
_IMAGES = random_pixels(3, 3, 32, 32)


def _read(folder, split: Split = "test"):
    found = _BATCHES.read(folder, split, CIFAR10)
    assert found is not None
    return found


def test_a_batch_of_python_2_is_read(tmp_path):
    (tmp_path / "test_batch").write_bytes(python2_batch(_IMAGES.reshape(3, -1), [7, 0, 9]))
    found = _read(tmp_path)
    np.testing.assert_array_equal(found.pixels, _IMAGES)
    np.testing.assert_array_equal(found.labels, [7, 0, 9])


def test_the_test_writer_agrees_with_pickle():
    content = pickle.loads(
        python2_batch(_IMAGES.reshape(3, -1), [7, 0, 9]).replace(b"core", b"_core"), encoding="latin1"
    )
    np.testing.assert_array_equal(content["data"], _IMAGES.reshape(3, -1))


def test_training_batches_are_joined_in_order(tmp_path):
    for number in range(1, 6):
        write_batch(tmp_path / f"data_batch_{number}", random_pixels(2, 3, 32, 32, seed=number), [number] * 2)
    found = _read(tmp_path, "train")
    np.testing.assert_array_equal(found.labels, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    np.testing.assert_array_equal(found.pixels[8:], random_pixels(2, 3, 32, 32, seed=5))


def test_a_missing_batch_is_told(tmp_path):
    for number in (1, 2, 5):
        write_batch(tmp_path / f"data_batch_{number}", _IMAGES, [0, 1, 2])
    with pytest.raises(UserError, match="lacks data_batch_3, data_batch_4"):
        _read(tmp_path, "train")


def test_a_folder_without_batches_is_no_source(tmp_path):
    assert _BATCHES.read(tmp_path, "test", CIFAR10) is None


class _Call:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "payload",
    [
        lambda mark: _Call(os.mkdir, str(mark)),
        lambda mark: _Call(eval, f"__import__('os').mkdir({str(mark)!r})"),
        lambda mark: _Call(np.save, str(mark), 1),
        lambda mark: np.float64,
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_that_names_other_functions_is_refused_and_not_run(tmp_path, payload, protocol):
    mark = tmp_path / "mark"
    content = {b"data": payload(mark), b"labels": [0]}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content, protocol=protocol))
    with pytest.raises(UserError, match="which could run code"):
        _read(tmp_path)
    assert not mark.exists()
    assert not mark.with_suffix(".npy").exists()


@settings(deadline=None)
@given(data=st.data())
def test_a_batch_cut_at_any_byte_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("batches")
    whole = python2_batch(_IMAGES.reshape(3, -1), [7, 0, 9])
    cut = data.draw(st.integers(0, 400) | st.integers(0, len(whole) - 1))
    (folder / "test_batch").write_bytes(whole[:cut])
    with pytest.raises(UserError, match="test_batch"):
        _read(folder)


@settings(deadline=None)
@given(position=st.integers(0, 260), value=st.integers(0, 255))
def test_a_damaged_byte_gives_a_batch_or_a_user_error(tmp_path_factory, position, value):
    folder = tmp_path_factory.mktemp("batches")
    whole = bytearray(python2_batch(_IMAGES.reshape(3, -1), [7, 0, 9]))
    whole[position] = value
    (folder / "test_batch").write_bytes(whole)
    try:
        found = _read(folder)
    except UserError:
        return
    assert found.pixels.shape == (3, 3, 32, 32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "lacks an array"),
        ({"data": np.zeros((1, 3072), np.uint8)}, "lacks an array"),
        ({"data": [1, 2], "labels": [0]}, "lacks an array"),
        ({"data": np.zeros((1, 3072)), "labels": [0]}, "are f8, not unsigned bytes"),
        (
            {"data": np.zeros((1, 784), np.uint8), "labels": [0]},
            "1 × 3072 pixel values, but there are 1 × 784",
        ),
        (
            {"data": np.zeros((2, 3072), np.uint8), "labels": [0]},
            "1 × 3072 pixel values, but there are 2 × 3072",
        ),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": ["cat"]}, "whole numbers"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": [2**80]}, "test_batch"),
    ],
)
def test_content_of_another_form_is_refused(tmp_path, content, message):
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(UserError, match=message):
        _read(tmp_path)


def test_columns_first_are_read_as_columns(tmp_path):
    write_batch(tmp_path / "test_batch", _IMAGES, [7, 0, 9], data=np.asfortranarray(_IMAGES.reshape(3, -1)))
    np.testing.assert_array_equal(_read(tmp_path).pixels, _IMAGES)


def test_an_index_that_promises_the_moon_costs_no_memory(tmp_path):
    whole = python2_batch(_IMAGES.reshape(3, -1), [7, 0, 9])
    # LONG_BINPUT: pickle's reader in C would make room for two thousand million memos.
    (tmp_path / "test_batch").write_bytes(whole[:3] + b"r\xff\xff\xff\x7f" + whole[3:])
    np.testing.assert_array_equal(_read(tmp_path).pixels, _IMAGES)
