"""Image folders: labels from folder names, a fair order, strangers told."""

import numpy as np
import pytest

from robbench.datasets.cifar10 import CIFAR10
from robbench.datasets.image_folder import ImageFolder, list_images
from robbench.errors import UserError

from .files import encode, random_pixels, write_images

_IMAGES = random_pixels(6, 3, 32, 32)
_ENCODED = [encode(image) for image in _IMAGES]


@pytest.mark.parametrize("inner", ["test", "val"])
@pytest.mark.parametrize("names", [["cat", "cat", "ship", "ship", "bird", "cat"], list("338823")])
def test_every_image_gets_the_label_of_its_folder(tmp_path, inner, names):
    write_images(tmp_path / inner, _ENCODED, names)
    found = ImageFolder((".",)).read(tmp_path, "test", CIFAR10)
    assert found is not None
    label_of = {image.tobytes(): label for image, label in zip(_IMAGES, [3, 3, 8, 8, 2, 3], strict=True)}
    assert [label_of[image.tobytes()] for image in found.pixels] == found.labels.tolist()
    assert len(found.pixels) == 6


def test_the_train_folder_is_not_the_test_split(tmp_path):
    write_images(tmp_path / "train", _ENCODED, ["cat"] * 6)
    assert ImageFolder((".",)).read(tmp_path, "test", CIFAR10) is None
    assert ImageFolder((".",)).read(tmp_path, "train", CIFAR10) is not None


def test_a_folder_named_after_no_class_is_told(tmp_path):
    write_images(tmp_path / "test", _ENCODED, ["cat"] * 5 + ["lion"])
    with pytest.raises(UserError, match="lion is named after no class"):
        ImageFolder((".",)).read(tmp_path, "test", CIFAR10)


def test_a_damaged_file_is_named(tmp_path):
    write_images(tmp_path / "test", [*_ENCODED[:5], b"no image"], ["cat"] * 6)
    with pytest.raises(UserError, match=r"cat/0005\.png is not an image"):
        ImageFolder((".",)).read(tmp_path, "test", CIFAR10)


def test_the_first_images_are_a_fair_sample(tmp_path):
    write_images(tmp_path, [b""] * 400, [f"class{number % 4}" for number in range(400)])
    files = list_images(tmp_path)
    assert files is not None
    counts = np.bincount(files.labels[:100], minlength=4)
    assert counts.min() >= 12  # 25 each on average; sorted by class it would be 100, 0, 0, 0


def test_other_files_and_hidden_ones_are_left_alone(tmp_path):
    write_images(tmp_path, _ENCODED, ["b", "a", "b", "a", "b", "b"])
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / ".hidden.png").write_bytes(b"")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "readme.png").write_bytes(b"")
    files = list_images(tmp_path)
    assert files is not None
    assert sorted(files.names) == [f"{'ab'[n in (0, 2, 4, 5)]}/000{n}.png" for n in (1, 3, 0, 2, 4, 5)]
    assert files.classes == 2


def test_numbers_are_labels_and_other_names_an_order(tmp_path):
    write_images(tmp_path / "numbers", _ENCODED[:2], ["10", "9"])
    write_images(tmp_path / "names", _ENCODED[:2], ["n10", "n9"])
    numbers, names = list_images(tmp_path / "numbers"), list_images(tmp_path / "names")
    assert numbers is not None
    assert names is not None
    assert dict(zip(numbers.names, numbers.labels.tolist(), strict=True)) == {
        "10/0000.png": 10,
        "9/0001.png": 9,
    }
    assert dict(zip(names.names, names.labels.tolist(), strict=True)) == {"n10/0000.png": 0, "n9/0001.png": 1}
    assert (numbers.classes, names.classes) == (11, 2)


def test_an_empty_folder_that_would_shift_the_labels_is_told(tmp_path):
    write_images(tmp_path, _ENCODED[:2], ["ant", "cow"])
    (tmp_path / "bee").mkdir()
    with pytest.raises(UserError, match="bee holds no images"):
        list_images(tmp_path)


def test_an_empty_folder_named_by_a_number_shifts_nothing(tmp_path):
    write_images(tmp_path, _ENCODED[:2], ["0", "2"])
    (tmp_path / "1").mkdir()
    files = list_images(tmp_path)
    assert files is not None
    assert sorted(files.labels.tolist()) == [0, 2]


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: (folder / "cat").mkdir()])
def test_a_folder_without_images_is_no_source(tmp_path, make):
    make(tmp_path)
    assert list_images(tmp_path) is None
