"""MNIST: its protocol, and the published bytes where they are."""

import hashlib

import pytest

from robbench.datasets import ArrayDataset, load_dataset
from robbench.datasets.mnist import MNIST
from robbench.epsilon import parse_grid

from .files import idx_bytes


@pytest.mark.parametrize(
    ("split", "md5", "count"),
    [
        ("train", "6bbc9ace898e44ae57da46a324031adb", 60_000),
        ("test", "2646ac647ad5339dbf082846283269ea", 10_000),
    ],
)
def test_the_real_pixels_are_the_published_ones(real_data, split, md5, count):
    info, dataset = load_dataset("mnist", real_data, split)
    assert isinstance(dataset, ArrayDataset)
    assert len(dataset) == count
    assert hashlib.md5(idx_bytes(dataset.pixels.numpy()[:, 0])).hexdigest() == md5
    assert len(set(dataset.labels.tolist())) == len(info.classes)
    assert dataset.source == "mnist: IDX files"


def test_the_protocol_is_the_papers():
    assert len(MNIST.grid) == 13
    assert MNIST.grid == parse_grid("0:0.3:13")
    assert (MNIST.grid[0], MNIST.grid[-1]) == (0, MNIST.epsilon)
    assert (MNIST.quantization.levels, MNIST.quantization.alpha, MNIST.noise) == (1, 1000, 0.3)
    assert (MNIST.inner_attack.epsilon, MNIST.inner_attack.steps, MNIST.inner_attack.step_size) == (
        0.3,
        40,
        0.01,
    )
    assert (MNIST.training.iterations, MNIST.training.batch_size, MNIST.attack_steps) == (50_000, 100, 100)
