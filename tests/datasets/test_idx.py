"""IDX files: what is written is read back, and every kind of damage is told."""

import gzip
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robbench.datasets.idx import IdxFiles, read_idx
from robbench.datasets.mnist import MNIST
from robbench.errors import UserError

from .files import idx_bytes, random_pixels, write_mnist

_SMALL = arrays(np.uint8, st.tuples(*[st.integers(0, 4)] * 3))


@settings(deadline=None)
@given(values=_SMALL, zipped=st.booleans())
def test_round_trip(tmp_path_factory, values, zipped):
    path = tmp_path_factory.mktemp("idx") / f"images{'.gz' if zipped else ''}"
    data = idx_bytes(values)
    path.write_bytes(gzip.compress(data) if zipped else data)
    np.testing.assert_array_equal(read_idx(path, 3), values)


@settings(deadline=None)
@given(values=_SMALL, zipped=st.booleans(), data=st.data())
def test_a_file_cut_at_any_byte_is_refused(tmp_path_factory, values, zipped, data):
    path = tmp_path_factory.mktemp("idx") / f"images{'.gz' if zipped else ''}"
    whole = gzip.compress(idx_bytes(values)) if zipped else idx_bytes(values)
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UserError) as caught:
        read_idx(path, 3)
    assert str(path) in caught.value.message


@settings(deadline=None)
@given(noise=st.binary(max_size=60), zipped=st.booleans())
def test_any_bytes_give_an_array_or_a_user_error(tmp_path_factory, noise, zipped):
    path = tmp_path_factory.mktemp("idx") / f"labels{'.gz' if zipped else ''}"
    path.write_bytes(noise)
    try:
        values = read_idx(path, 1)
    except UserError:
        return
    assert idx_bytes(values) == noise


def test_bytes_too_many_are_refused(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(idx_bytes(random_pixels(2, 3, 3)) + b"\0")
    with pytest.raises(UserError, match=r"2 × 3 × 3 = 18 values, but holds 19"):
        read_idx(path, 3)


@pytest.mark.parametrize("magic", [b"\0\0\x08\1", b"\0\0\x0d\3", b"\x1f\x8b\x08\0"])
def test_another_magic_number_is_refused(tmp_path, magic):
    path = tmp_path / "images"
    path.write_bytes(magic + idx_bytes(random_pixels(2, 3, 3))[4:])
    with pytest.raises(UserError, match="no IDX file of 3"):
        read_idx(path, 3)


@pytest.mark.parametrize("position", [0, 20, -6])
def test_a_damaged_gzip_is_refused(tmp_path, position):
    path = tmp_path / "images.gz"
    data = bytearray(gzip.compress(idx_bytes(random_pixels(5, 28, 28))))
    data[position] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match="gzip"):
        read_idx(path, 3)


def test_a_header_that_promises_the_moon_costs_no_memory(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(b"\0\0\x08\3" + b"\xff" * 12)
    with pytest.raises(UserError, match=str(math.prod([2**32 - 1] * 3))):
        read_idx(path, 3)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_a_split_is_read_from_its_own_files(tmp_path, split, prefix, suffix):
    for seed, name in enumerate(("train", "t10k")):
        write_mnist(tmp_path, name, random_pixels(4, 28, 28, seed=seed), [seed] * 4, suffix)
    found = IdxFiles((".",)).read(tmp_path, split, MNIST)
    assert found is not None
    seed = ("train", "t10k").index(prefix)
    np.testing.assert_array_equal(found.pixels[:, 0], random_pixels(4, 28, 28, seed=seed))
    np.testing.assert_array_equal(found.labels, [seed] * 4)


@pytest.mark.parametrize("lost", ["images-idx3", "labels-idx1"])
def test_half_a_split_is_told(tmp_path, lost):
    write_mnist(tmp_path, "t10k", random_pixels(4, 28, 28), [1] * 4)
    (tmp_path / f"t10k-{lost}-ubyte").unlink()
    with pytest.raises(UserError, match=f"t10k-{lost}-ubyte, which belongs to it, is not"):
        IdxFiles((".",)).read(tmp_path, "test", MNIST)


def test_a_folder_without_idx_files_is_no_source(tmp_path):
    write_mnist(tmp_path, "train", random_pixels(4, 28, 28), [1] * 4)
    assert IdxFiles((".",)).read(tmp_path, "test", MNIST) is None
