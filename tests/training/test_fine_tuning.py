"""Fine-tuning: a training that begins with the weights of a stored model."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import robbench.models.search
from robbench.errors import UserError
from robbench.models import find_model
from robbench.models.weights import read_weights
from robbench.training import train
from robbench.training.request import identity_of, settle
from tests.training.small import request


@pytest.fixture
def natural(tmp_path):
    train(request(tmp_path, "natural", plan={"iterations": 30}))
    return find_model("digits", "natural", tmp_path)


def test_a_training_begins_with_the_weights_behind_another_layer(tmp_path, natural):
    asked = request(tmp_path / "tuned", "nsq", plan={"iterations": 1, "learning_rate": 1e-9}, start=natural)
    card = train(asked)
    assert card.start == natural.card.sha256
    before = read_weights(natural)
    after = read_weights(find_model("digits", "nsq", tmp_path / "tuned"))
    for name, tensor in before.items():
        if tensor.is_floating_point() and "running" not in name:
            assert torch.equal(after[f"1.{name}"], tensor), "as stored, in 16 bits, one tiny step later"


def test_where_it_began_is_part_of_what_it_is(tmp_path, natural):
    fresh, tuned = request(tmp_path, "nsq"), request(tmp_path, "nsq", start=natural)
    assert settle(fresh).identity != settle(tuned).identity
    card = train(replace(tuned, plan={"iterations": 2}))
    assert identity_of(card) == settle(replace(tuned, plan={"iterations": 2})).identity
    with pytest.raises(UserError, match="begin with"):
        train(replace(fresh, plan={"iterations": 2}))


def test_another_network_is_refused_before_anything_is_written(tmp_path, natural):
    other = replace(natural, card=replace(natural.card, network="residual_cnn"))
    with pytest.raises(UserError, match="residual_cnn"):
        train(request(tmp_path / "tuned", "nsq", start=other))
    assert not (tmp_path / "tuned").exists()


@pytest.fixture
def folder(tmp_path, monkeypatch, natural):
    """A current folder whose ./models hold a natural model, and nothing shipped."""
    monkeypatch.setattr(robbench.models.search, "PACKAGE", tmp_path / "site-packages" / "robbench")
    (tmp_path / "models").mkdir()
    (tmp_path / "digits").rename(tmp_path / "models" / "digits")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("defenses", ["natural", "natural,nsq"])
def test_typed_again_a_training_does_not_begin_with_what_it_wrote_itself(folder, shell, defenses):
    typed = ("train", "--defense", defenses, "--start", "natural", "--set", "iterations=3")
    assert shell(*typed, "--models-dir", "m2").code == 0
    begun = find_model("digits", "natural").card.sha256
    cards = [find_model("digits", name, Path("m2")).card for name in defenses.split(",")]
    assert [card.start for card in cards] == [begun] * len(cards)
    again = shell(*typed, "--models-dir", "m2")
    assert again.code == 0, again.err
    assert again.err.count("is there already, trained as asked") == len(cards)
    assert "begin with are those of models/digits/natural.safetensors" in again.err
    assert shell(*typed, "--models-dir", "m2", "--restart").code == 0
    assert find_model("digits", "natural", Path("m2")).card.start == begun


@pytest.mark.parametrize("changes", [(), ("--models-dir", "m2/../models"), ("--restart",)])
def test_a_training_whose_only_start_is_its_own_output_is_refused(folder, shell, changes):
    (folder / "m2").mkdir()
    before = find_model("digits", "natural")
    typed = shell("train", "--defense", "natural", "--start", "natural", "--set", "iterations=3", *changes)
    assert typed.code == 2
    assert "is itself to be trained" in typed.err
    assert "another --models-dir" in typed.err
    assert find_model("digits", "natural") == before
