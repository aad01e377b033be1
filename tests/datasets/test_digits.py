"""Digits: the embedded default, whose split must never move."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from robbench.datasets import ArrayDataset, load_dataset
from robbench.errors import UserError


def _load(split):
    dataset = load_dataset("digits", split=split)[1]
    assert isinstance(dataset, ArrayDataset)
    return dataset


def test_the_splits_are_those_of_the_committed_models():
    assert _load("train").fingerprint == "b2b96ee255bf8ecb"
    assert _load("test").fingerprint == "883a114e0df47372"


def test_the_splits_part_the_whole_dataset():
    train, test = _load("train"), _load("test")
    assert (len(train), len(test)) == (1437, 360)
    assert not set(train.ids) & set(test.ids)
    assert len(set(train.ids) | set(test.ids)) == 1797


def test_every_class_is_tested_alike():
    assert _load("test").labels.bincount().tolist() == [36] * 10


def test_the_pixels_are_scikit_learns():
    flat, target = load_digits(return_X_y=True)
    label_of = {row.tobytes(): label for row, label in zip(np.asarray(flat), target, strict=True)}
    samples = _load("test").samples(torch.arange(360))
    assert 0 <= samples.images.min() < samples.images.max() == 1
    for image, label in zip(samples.images, samples.labels, strict=True):
        assert label_of[(image[0].numpy() * 16).astype(np.float64).tobytes()] == label


def test_no_order_of_the_rows_moves_the_split(monkeypatch):
    flat, target = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(target))
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda return_X_y: (flat[order], target[order]))
    assert _load("test").fingerprint == "883a114e0df47372"


def test_a_missing_data_directory_is_told_although_none_is_needed(tmp_path):
    assert len(load_dataset("digits", tmp_path)[1]) == 360
    with pytest.raises(UserError, match="does not exist"):
        load_dataset("digits", tmp_path / "nowhere")
