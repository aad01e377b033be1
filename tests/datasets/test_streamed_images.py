"""Streamed images: prepared as torchvision does, hashed as they come out, never all in memory."""

import os
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from robbench.datasets.contract import pixel_hash
from robbench.datasets.image_folder import list_images
from robbench.datasets.streamed_images import StreamedImages, crop_center
from robbench.errors import UserError

from .files import encode, random_pixels, write_images

_IMAGES = [random_pixels(3, 20 + 7 * number, 50 - 5 * number, seed=number) for number in range(6)]


@pytest.fixture
def streamed(tmp_path):
    write_images(tmp_path, [encode(image) for image in _IMAGES], ["a", "b", "a", "b", "c", "c"])
    files = list_images(tmp_path)
    assert files is not None
    return StreamedImages("imagenet", files, 14, "here")


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (299, 342), (1000, 301), (60, 45), (299, 299 * 3)])
def test_the_crop_is_torchvisions(size):
    image = Image.fromarray(random_pixels(size[1], size[0], 3))
    reference = transforms.Compose([transforms.Resize(342), transforms.CenterCrop(299)])
    np.testing.assert_array_equal(np.asarray(crop_center(image, 299)), np.asarray(reference(image)))


def test_an_image_prepared_before_is_taken_as_it_is():
    image = Image.fromarray(random_pixels(299, 299, 3))
    assert crop_center(image, 299) is image


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (300, 2)])
def test_the_crop_has_its_size_whatever_came(size):
    assert crop_center(Image.new("RGB", size), 299).size == (299, 299)


def test_samples_come_in_the_order_asked_for(streamed):
    indices = torch.tensor([4, 0, 4, 2])
    samples = streamed.samples(indices)
    assert samples.images.shape == (4, 3, 14, 14)
    for place, index in enumerate(indices.tolist()):
        with Image.open(streamed.files.folder / streamed.files.names[index]) as image:
            expected = np.asarray(crop_center(image, 14)).transpose(2, 0, 1)
        np.testing.assert_array_equal(samples.images[place].numpy(), expected.astype(np.float32) / 255)
        assert samples.ids[place] == pixel_hash(expected)
        assert samples.labels[place] == "abc".index(streamed.files.names[index][0])


def test_no_indices_give_no_samples(streamed):
    assert streamed.samples(torch.tensor([], dtype=torch.int64)).images.shape == (0, 3, 14, 14)


def test_the_first_samples_are_the_first(streamed):
    first = streamed.first(2)
    assert len(first) == 2
    assert first.samples(torch.arange(2)).ids == streamed.samples(torch.arange(2)).ids
    assert first.fingerprint != streamed.fingerprint


def test_files_are_read_only_when_asked_for(streamed):
    broken = streamed.files.folder / streamed.files.names[5]
    broken.write_bytes(b"no image")
    streamed.samples(torch.arange(5))
    with pytest.raises(UserError, match=f"{streamed.files.names[5]} is not an image"):
        streamed.samples(torch.tensor([5]))


def _again(streamed):
    files = list_images(streamed.files.folder)
    assert files is not None
    return StreamedImages("imagenet", files, 14, "here").fingerprint


def test_the_fingerprint_is_that_of_the_files(streamed):
    before = _again(streamed)
    assert before == streamed.fingerprint
    path = streamed.files.folder / streamed.files.names[0]
    path.write_bytes(path.read_bytes() + b"\0")
    grown = _again(streamed)
    path.rename(path.with_stem("renamed"))
    renamed = _again(streamed)
    (streamed.files.folder / "a").rename(streamed.files.folder / "d")
    relabelled = _again(streamed)
    other = streamed.files.folder / streamed.files.names[1]
    other = other if other.exists() else streamed.files.folder / "d" / other.name
    other.write_bytes(other.read_bytes()[:-1] + b"\1")
    as_large = _again(streamed)
    assert len({before, grown, renamed, relabelled, as_large}) == 5


def test_a_file_gone_meanwhile_is_named(streamed):
    (streamed.files.folder / streamed.files.names[3]).unlink()
    with pytest.raises(UserError, match=streamed.files.names[3]):
        _ = streamed.fingerprint
    with pytest.raises(UserError, match=streamed.files.names[3]):
        streamed.samples(torch.tensor([3]))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take names in UTF-8 alone")
def test_a_file_name_need_not_be_utf_8(tmp_path):
    write_images(tmp_path, [encode(image) for image in _IMAGES[:2]], ["a", "b"])
    (first, *_) = sorted(tmp_path.rglob("*.*"))
    os.rename(first, os.fsencode(first.parent) + b"/caf\xe9.png")
    files = list_images(tmp_path)
    assert files is not None
    assert len(StreamedImages("imagenet", files, 14, "here").fingerprint) == 16
