"""Where data are looked for, in which order, and what is said where they are not."""

import os

import pytest
import torch

from robbench.datasets.cifar10 import CIFAR10
from robbench.datasets.idx import IdxFiles
from robbench.datasets.mnist import MNIST
from robbench.datasets.sources import load_split
from robbench.errors import UserError

from .files import encode, random_pixels, write_batch, write_images, write_mnist, write_parquet


def _write(folder, label):
    write_mnist(folder, "t10k", random_pixels(1, 28, 28), [label])


def _load(data_dir=None, download=None):
    def refuse(directory):
        raise UserError("no network here")

    formats = (IdxFiles((".", "MNIST/raw")),)
    return load_split(MNIST, formats, download or refuse, data_dir, "test").labels.item()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_named_directory_wins_then_the_variable_then_data(here, monkeypatch):
    for label, name in enumerate(("named", "variable", "data")):
        _write(here / name, label)
    assert _load() == 2
    monkeypatch.setenv("ROBBENCH_DATA", str(here / "variable"))
    assert _load() == 1
    assert _load(here / "named") == 0


def test_a_subfolder_is_looked_into_after_the_directory(here):
    _write(here / "data" / "MNIST" / "raw", 4)
    assert _load() == 4
    _write(here / "data", 5)
    assert _load() == 5


@pytest.mark.parametrize("how", ["argument", "variable"])
@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_a_named_directory_without_the_data_is_told_and_nothing_else_is_tried(here, monkeypatch, how, kind):
    _write(here / "data", 1)
    named = here / "named"
    if kind == "file":
        named.write_text("hello")
    elif kind == "empty":
        named.mkdir()
    if how == "variable":
        monkeypatch.setenv("ROBBENCH_DATA", str(named))
    expected = {
        "missing": "does not exist",
        "file": "is a file",
        "empty": "does not hold the test split of MNIST",
    }
    with pytest.raises(UserError, match=expected[kind]) as caught:
        _load(named if how == "argument" else None, download=_fail)
    assert str(named) in caught.value.message
    if kind == "empty":
        assert "t10k-images-idx3-ubyte" in caught.value.hint
        assert "MNIST/raw" in caught.value.hint


def test_a_named_directory_that_may_not_be_looked_into_is_told(here, forbid):
    forbid("iterdir", here)
    with pytest.raises(UserError, match=r"named, cannot be read: Permission denied"):
        _load(here / "named")


def _fail(directory):
    raise AssertionError("nothing may be downloaded")


def test_an_empty_variable_is_no_directory(here, monkeypatch):
    monkeypatch.setenv("ROBBENCH_DATA", "")
    _write(here / "data", 1)
    assert _load() == 1


def test_the_home_directory_may_be_a_tilde(here, monkeypatch):
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("ROBBENCH_DATA", os.path.join("~", "mine"))
    _write(here / "mine", 6)
    assert _load() == 6


def test_what_is_nowhere_is_downloaded_into_data(here):
    assert _load(download=lambda directory: _write(directory / "MNIST" / "raw", 7)) == 7
    assert (here / "data" / "MNIST" / "raw").is_dir()
    assert _load(download=_fail) == 7


def test_damaged_data_are_told_and_not_downloaded_over(here):
    _write(here / "data", 1)
    (here / "data" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0")
    with pytest.raises(UserError, match="breaks off in its header"):
        _load(download=_fail)


def test_every_format_of_mnist_is_found(tmp_path):
    images = random_pixels(2, 1, 28, 28)
    encoded = [encode(image) for image in images]
    write_mnist(tmp_path / "a" / "MNIST" / "raw", "t10k", images[:, 0], [3, 5], ".gz")
    write_parquet(tmp_path / "b" / "mnist" / "test-00000-of-00001.parquet", encoded, [3, 5], "image")
    write_images(tmp_path / "c" / "test", encoded, ["3", "5"])
    datasets = [MNIST.load(tmp_path / name, "test") for name in "abc"]
    assert datasets[0].fingerprint == datasets[1].fingerprint
    everything = torch.arange(2)
    assert set(datasets[0].samples(everything).ids) == set(datasets[2].samples(everything).ids)
    assert [dataset.source.split(": ")[1] for dataset in datasets] == [
        "IDX files",
        "Hugging-Face Parquet, PNG-encoded",
        "image folder, PNG-encoded",
    ]


def test_every_format_of_cifar10_is_found_the_original_first(tmp_path):
    images = random_pixels(2, 3, 32, 32)
    encoded = [encode(image) for image in images]
    write_images(tmp_path / "test", encoded, ["cat", "ship"])
    assert CIFAR10.load(tmp_path, "test").source == "cifar10: image folder, PNG-encoded"
    write_parquet(tmp_path / "cifar10" / "test-00000-of-00001.parquet", encoded, [3, 8])
    parquet = CIFAR10.load(tmp_path, "test")
    assert parquet.source == "cifar10: Hugging-Face Parquet, PNG-encoded"
    write_batch(tmp_path / "cifar-10-batches-py" / "test_batch", images, [3, 8])
    batches = CIFAR10.load(tmp_path, "test")
    assert batches.source == "cifar10: torchvision batches"
    assert parquet.fingerprint == batches.fingerprint


def test_jpeg_gives_another_fingerprint(tmp_path):
    images = random_pixels(2, 3, 32, 32)
    for kind in ("PNG", "JPEG"):
        write_parquet(tmp_path / kind / "test.parquet", [encode(image, kind) for image in images], [3, 8])
    png, jpeg = CIFAR10.load(tmp_path / "PNG", "test"), CIFAR10.load(tmp_path / "JPEG", "test")
    assert jpeg.source == "cifar10-jpeg: Hugging-Face Parquet, JPEG-encoded"
    assert png.fingerprint != jpeg.fingerprint


def test_fewer_labels_than_images_are_told(tmp_path):
    write_mnist(tmp_path, "t10k", random_pixels(3, 28, 28), [1, 2])
    with pytest.raises(UserError, match="holds 3 images but 2 labels"):
        MNIST.load(tmp_path, "test")


def test_another_dataset_is_told(tmp_path):
    write_mnist(tmp_path, "t10k", random_pixels(3, 20, 20), [1, 2, 3])
    with pytest.raises(UserError, match="1 × 20 × 20, but those of MNIST have 1 × 28 × 28"):
        MNIST.load(tmp_path, "test")
