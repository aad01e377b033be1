"""Samples are loaded ahead: the next part while one is in hand, and no more than that."""

import threading

import pytest
import torch

from robbench.datasets import ArrayDataset
from robbench.sweep.feed import load_ahead
from tests.oracles import linear_oracle

PARTS = torch.arange(10).split(3)


class Watched(ArrayDataset):
    """A dataset that tells what it was asked for, and refuses one position."""

    def __init__(self, refused: int = -1) -> None:
        _, images, labels = linear_oracle(count=10)
        super().__init__("watched", images.numpy(), labels.numpy(), 2, "made up", scale=1)
        self.refused = refused
        self.asked: list[list[int]] = []
        self.asked_twice = threading.Event()

    def samples(self, indices):
        self.asked.append(indices.tolist())
        if len(self.asked) == 2:
            self.asked_twice.set()
        if self.refused in indices:
            raise ValueError("damaged")
        return super().samples(indices)


def test_every_part_comes_in_order_with_its_samples():
    watched = Watched()
    found = list(load_ahead(watched, PARTS))
    assert [part.tolist() for part, _ in found] == watched.asked == [part.tolist() for part in PARTS]
    for part, samples in found:
        assert samples.ids == tuple(watched.ids[i] for i in part)
    assert list(load_ahead(watched, [])) == []


def test_the_next_part_is_loaded_while_one_is_in_hand_and_no_other():
    watched = Watched()
    parts = load_ahead(watched, PARTS)
    next(parts)
    assert watched.asked_twice.wait(timeout=60)
    parts.close()  # waits for what is being loaded  # pyright: ignore[reportAttributeAccessIssue]
    assert watched.asked == [[0, 1, 2], [3, 4, 5]]


def test_a_damaged_part_is_told_where_its_turn_comes():
    parts = load_ahead(Watched(refused=4), PARTS)
    assert next(parts)[0].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="damaged"):
        next(parts)
