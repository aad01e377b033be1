"""Downloads are there as a whole or not at all."""

import functools
import hashlib
import http.server
import threading
from urllib.error import URLError

import pytest
import torchvision

from robbench.datasets import load_dataset
from robbench.datasets.download import download_into
from robbench.errors import UserError

from .files import random_pixels, write_mnist

_NOWHERE = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    "error", [URLError("no route"), RuntimeError("Tried a\nno route"), OSError("no route")]
)
@pytest.mark.parametrize("existed", [False, True])
def test_a_failure_leaves_nothing(tmp_path, error, existed):
    data = tmp_path / "data"
    if existed:
        data.mkdir()

    def fetch(root):
        write_mnist(tmp_path.__class__(root) / "MNIST" / "raw", "t10k", random_pixels(1, 28, 28), [1])
        raise error

    with pytest.raises(UserError, match=r"MNIST is not in .*, and downloading it there failed: .*no route"):
        download_into(data, "MNIST/raw", "MNIST", fetch)
    assert [path.name for path in tmp_path.rglob("*")] == (["data"] if existed else [])


def test_an_interrupt_leaves_nothing_either(tmp_path):
    def fetch(root):
        write_mnist(tmp_path.__class__(root) / "MNIST" / "raw", "t10k", random_pixels(1, 28, 28), [1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_into(tmp_path / "data", "MNIST/raw", "MNIST", fetch)
    assert not list(tmp_path.iterdir())


def test_what_was_there_is_completed(tmp_path):
    raw = tmp_path / "data" / "MNIST" / "raw"
    write_mnist(raw, "train", random_pixels(2, 28, 28), [1, 2])

    def fetch(root):
        write_mnist(tmp_path.__class__(root) / "MNIST" / "raw", "t10k", random_pixels(1, 28, 28), [1])

    download_into(tmp_path / "data", "MNIST/raw", "MNIST", fetch)
    assert len(list(raw.iterdir())) == 4
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["MNIST"]


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_a_network_torchvision_gives_one_clear_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [_NOWHERE])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", _NOWHERE)
    with pytest.raises(UserError, match="downloading it there failed") as caught:
        load_dataset(name)
    assert "--data-dir" in caught.value.hint
    assert not list(tmp_path.iterdir())


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    for prefix in ("train", "t10k"):
        write_mnist(folder, prefix, random_pixels(3, 28, 28), [1, 2, 3], ".gz")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_torchvisions_download_is_read_and_kept(tmp_path, monkeypatch, mirror):
    folder, url = mirror
    resources = [(path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in sorted(folder.iterdir())]
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url])
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    _, test = load_dataset("mnist")
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [_NOWHERE])
    _, train = load_dataset("mnist", split="train")
    assert test.labels.tolist() == train.labels.tolist() == [1, 2, 3]
    assert [path.name for path in (tmp_path / "here" / "data").iterdir()] == ["MNIST"]
