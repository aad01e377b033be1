"""CIFAR-10: its protocol, and the real photographs where they are."""

import pytest

from robbench.datasets import load_dataset
from robbench.datasets.cifar10 import CIFAR10


@pytest.mark.parametrize(("split", "each"), [("train", 5000), ("test", 1000)])
def test_the_real_data_have_as_many_of_each_class(real_data, split, each):
    _, dataset = load_dataset("cifar10", real_data, split)
    assert dataset.labels.bincount().tolist() == [each] * 10
    assert dataset.shape == (3, 32, 32)
    assert dataset.source.startswith(("cifar10: ", "cifar10-jpeg: Hugging-Face Parquet, JPEG-encoded"))


def test_the_protocol_is_the_papers():
    assert [CIFAR10.unit.format(epsilon) for epsilon in CIFAR10.grid] == [
        "0",
        *(f"{k}/255" for k in range(1, 9)),
    ]
    assert CIFAR10.grid[-1] == CIFAR10.epsilon
    assert (CIFAR10.quantization.levels, CIFAR10.quantization.alpha) == (2, 25_500)
    assert CIFAR10.noise == 16 / 255
    assert CIFAR10.classes[3] == "cat"
    assert (CIFAR10.inner_attack.steps, CIFAR10.inner_attack.step_size) == (7, 2 / 255)
    assert (CIFAR10.training.iterations, CIFAR10.training.batch_size, CIFAR10.attack_steps) == (
        80_000,
        128,
        20,
    )
