"""Parquet of encoded images: Hugging Face's layout, and every way to miss it."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robbench.datasets.cifar10 import CIFAR10
from robbench.datasets.image_parquet import ImageParquet
from robbench.datasets.mnist import MNIST
from robbench.errors import UserError

from .files import encode, random_pixels, write_parquet

_IMAGES = random_pixels(5, 3, 32, 32)
_ENCODED = [encode(image) for image in _IMAGES]


def _read(folder, info=CIFAR10):
    found = ImageParquet((".",)).read(folder, "test", info)
    assert found is not None
    return found


@pytest.mark.parametrize("column", ["img", "image"])
def test_pixels_and_labels_come_back(tmp_path, column):
    write_parquet(tmp_path / "test-00000-of-00001.parquet", _ENCODED, [3, 1, 4, 1, 5], column)
    found = _read(tmp_path)
    np.testing.assert_array_equal(found.pixels, _IMAGES)
    np.testing.assert_array_equal(found.labels, [3, 1, 4, 1, 5])
    assert found.encodings == ("PNG",)


def test_grey_images_come_back(tmp_path):
    images = random_pixels(2, 1, 28, 28)
    write_parquet(tmp_path / "test.parquet", [encode(image) for image in images], [0, 9], "image")
    np.testing.assert_array_equal(_read(tmp_path, info=MNIST).pixels, images)


def test_files_of_a_split_are_joined_by_name(tmp_path):
    write_parquet(tmp_path / "test-00001-of-00002.parquet", _ENCODED[3:], [8, 9])
    write_parquet(tmp_path / "test-00000-of-00002.parquet", _ENCODED[:3], [5, 6, 7])
    write_parquet(tmp_path / "train-00000-of-00001.parquet", _ENCODED[:1], [0])
    found = _read(tmp_path)
    np.testing.assert_array_equal(found.labels, [5, 6, 7, 8, 9])
    np.testing.assert_array_equal(found.pixels, _IMAGES)


def test_a_missing_file_of_several_is_told(tmp_path):
    write_parquet(tmp_path / "test-00000-of-00002.parquet", _ENCODED[:3], [5, 6, 7])
    with pytest.raises(UserError, match="one of 2 files, but 1"):
        _read(tmp_path)


def test_encodings_are_reported(tmp_path):
    mixed = [encode(_IMAGES[0], "JPEG"), *_ENCODED[1:]]
    write_parquet(tmp_path / "test.parquet", mixed, [3, 1, 4, 1, 5])
    assert _read(tmp_path).encodings == ("JPEG", "PNG")


def test_a_folder_without_parquet_of_the_split_is_no_source(tmp_path):
    write_parquet(tmp_path / "train.parquet", _ENCODED, [3, 1, 4, 1, 5])
    assert ImageParquet((".",)).read(tmp_path, "test", CIFAR10) is None


@settings(deadline=None)
@given(data=st.data())
def test_a_file_cut_at_any_byte_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("parquet") / "test.parquet"
    write_parquet(path, _ENCODED, [3, 1, 4, 1, 5])
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UserError, match=r"test\.parquet is not a Parquet file"):
        _read(path.parent)


@pytest.mark.parametrize(
    "table",
    [
        {"img": ["a"], "label": [0]},
        {"img": [{"path": "a"}], "label": [0]},
        {"picture": [{"bytes": b"a"}], "label": [0]},
        {"img": [{"bytes": b"a"}]},
        {"img": [{"bytes": b"a"}], "label": ["cat"]},
        {"img": [{"bytes": b"a"}], "label": [1.5]},
    ],
)
def test_other_columns_are_refused_and_listed(tmp_path, table):
    pq.write_table(pa.table(table), tmp_path / "test.parquet")
    with pytest.raises(UserError, match="should have a column `img` or `image`") as caught:
        _read(tmp_path)
    assert all(f"{name}: " in caught.value.message for name in table)


@pytest.mark.parametrize(
    ("images", "labels", "missing"),
    [([None, _ENCODED[0]], [1, 2], "bytes"), ([_ENCODED[0], _ENCODED[0]], [1, None], "label")],
)
def test_a_row_with_a_gap_is_refused(tmp_path, images, labels, missing):
    write_parquet(tmp_path / "test.parquet", images, labels)
    with pytest.raises(UserError, match=f"1 rows have no {missing}"):
        _read(tmp_path)


def test_an_image_that_cannot_be_decoded_is_named_by_its_row(tmp_path):
    damaged = [*_ENCODED[:3], _ENCODED[3][:60], _ENCODED[4]]
    write_parquet(tmp_path / "test.parquet", damaged, [3, 1, 4, 1, 5])
    with pytest.raises(UserError, match=r"test\.parquet, row 3 is not an image"):
        _read(tmp_path)


def test_an_image_of_another_size_is_named_by_its_row(tmp_path):
    images = [*_ENCODED[:2], encode(random_pixels(3, 28, 28)), *_ENCODED[3:]]
    write_parquet(tmp_path / "test.parquet", images, [3, 1, 4, 1, 5])
    with pytest.raises(UserError, match="row 2: expected 32 × 32 pixels, not 28 × 28"):
        _read(tmp_path)
