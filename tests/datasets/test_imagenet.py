"""ImageNet-like folders: which of them is the split, and what is told where none is."""

import pytest
import torch
from torch import nn

from robbench.datasets import load_dataset
from robbench.defenses import Defense
from robbench.defenses.loaded import LoadedDefense
from robbench.errors import UserError
from robbench.preflight import check_defenses
from robbench.spec import SweepSpec
from robbench.training import TrainingRequest, train

from .files import encode, random_pixels, write_images

_ENCODED = [encode(random_pixels(3, 40, 30, seed=seed), "JPEG") for seed in range(4)]
_NAMES = ["n02", "n01", "n02", "n03"]


@pytest.mark.parametrize("place", [".", "val", "imagenet", "imagenet/val", "ImageNet/validation", "test"])
def test_the_test_split_is_found(tmp_path, place):
    write_images(tmp_path / place, _ENCODED, _NAMES, "JPEG")
    info, dataset = load_dataset("imagenet", tmp_path)
    assert dataset.shape == info.shape == (3, 299, 299)
    assert dataset.classes == 3
    assert sorted(dataset.labels.tolist()) == [0, 1, 1, 2]
    samples = dataset.samples(torch.arange(4))
    assert samples.images.shape == (4, 3, 299, 299)
    assert len(set(samples.ids)) == 4


def test_both_splits_are_told_apart(tmp_path):
    write_images(tmp_path / "train", _ENCODED, _NAMES)
    write_images(tmp_path / "val", _ENCODED[:1], _NAMES[:1])
    assert len(load_dataset("imagenet", tmp_path, "train")[1]) == 4
    assert len(load_dataset("imagenet", tmp_path, "test")[1]) == 1


def test_a_folder_of_classes_alone_is_never_trained_on(tmp_path):
    write_images(tmp_path, _ENCODED, _NAMES)
    with pytest.raises(UserError, match="does not hold the train split of ImageNet"):
        load_dataset("imagenet", tmp_path, "train")


def test_a_folder_without_images_is_told(tmp_path):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    with pytest.raises(UserError, match="does not hold the test split of ImageNet") as caught:
        load_dataset("imagenet", tmp_path)
    assert "val/<class>/*.jpg" in caught.value.hint


def test_the_first_samples_can_be_had(tmp_path):
    write_images(tmp_path, _ENCODED, _NAMES)
    _, whole = load_dataset("imagenet", tmp_path)
    _, part = load_dataset("imagenet", tmp_path, samples=3)
    assert part.samples(torch.tensor([2])).ids == whole.samples(torch.tensor([2])).ids
    assert part.classes == 3


def test_without_a_folder_the_message_says_what_to_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        load_dataset("imagenet")
    assert "--data-dir" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("names", "logits", "refused"),
    [(_NAMES, 1000, True), (_NAMES, 3, False), (["0", "482", "482", "217"], 1000, False)],
)
def test_some_folders_in_order_are_not_a_models_thousand_classes(tmp_path, names, logits, refused):
    write_images(tmp_path, _ENCODED, names)
    _, dataset = load_dataset("imagenet", tmp_path)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, logits))
    defense = LoadedDefense("mine", "mine", Defense(model), "", None, "")
    spec = SweepSpec(("mine",), ("pgd2",), "imagenet")
    if not refused:
        check_defenses({"mine": defense}, dataset, torch.device("cpu"), spec)
        return
    with pytest.raises(UserError, match=r"mine tells 1000 classes apart.* 3 folders \(n01, n02, n03"):
        check_defenses({"mine": defense}, dataset, torch.device("cpu"), spec)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["n02", "n01", "n02", "n04"], "training split has a class folder n03, and the test split none"),
        (["n02", "n01", "n00", "n03"], "test split has a class folder n00, and the training split none"),
    ],
)
def test_splits_of_other_folders_are_not_trained_on(tmp_path, names, message):
    write_images(tmp_path / "train", _ENCODED, _NAMES)
    write_images(tmp_path / "val", _ENCODED, names)
    info, test = load_dataset("imagenet", tmp_path)
    _, split = load_dataset("imagenet", tmp_path, "train")
    models = tmp_path / "models"
    request = TrainingRequest("natural", info, split, test, models_dir=models)
    with pytest.raises(UserError, match=message):
        train(request)
    assert not models.exists()
