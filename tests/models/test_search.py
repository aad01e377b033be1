import shutil
import subprocess
import sys

import pytest

import robbench.models.search
from robbench.errors import UserError
from robbench.models import (
    DamagedModel,
    StoredModel,
    card_path,
    find_model,
    list_models,
    search_path,
    weights_path,
)
from tests.models.stored import store_sq


@pytest.fixture(autouse=True)
def away(tmp_path, monkeypatch):
    """An empty current directory, and a package without models."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(robbench.models.search, "PACKAGE", tmp_path / "site-packages" / "robbench")
    return tmp_path


def test_the_given_directory_wins_over_here_and_here_over_the_shipped(away):
    shipped = away / "site-packages" / "robbench" / "pretrained"
    given = away / "given"
    for directory, seed in ((shipped, 1), (away / "models", 2), (given, 3)):
        store_sq(directory, seed)
    assert find_model("digits", "sq", given).card.seed == 3
    assert find_model("digits", "sq").card.seed == 2
    shutil.rmtree(away / "models")
    assert find_model("digits", "sq").card.seed == 1
    assert find_model("digits", "sq", away / "elsewhere").card.seed == 1


def test_a_checkout_ships_the_models_beside_the_package(away):
    (away / "site-packages").mkdir()
    # Somebody else's folder beside an installed package is not ours.
    store_sq(away / "site-packages" / "models", 7)
    with pytest.raises(UserError):
        find_model("digits", "sq")
    (away / "site-packages" / "pyproject.toml").touch()
    assert find_model("digits", "sq").card.seed == 7


def test_a_missing_model_names_the_places_and_the_command(away):
    with pytest.raises(UserError) as caught:
        find_model("mnist", "nsq", away / "given")
    assert str(away / "given" / "mnist" / "nsq.safetensors") in caught.value.message
    assert "models/mnist/nsq.safetensors" in caught.value.message
    assert "pretrained" in caught.value.message
    assert "robbench train --defense nsq --dataset mnist" in caught.value.hint


def test_an_unfinished_training_is_said(away):
    (away / "models" / "mnist").mkdir(parents=True)
    (away / "models" / "mnist" / "nsq.checkpoint").touch()
    with pytest.raises(UserError, match="training is unfinished"):
        find_model("mnist", "nsq")


def test_half_a_model_is_an_error_and_not_passed_over(away):
    stored = store_sq(away / "models")
    store_sq(away / "site-packages" / "robbench" / "pretrained")
    stored.weights.unlink()
    with pytest.raises(UserError, match=r"weights and card, but models/digits/sq.safetensors is missing"):
        find_model("digits", "sq")


@pytest.mark.parametrize("name", ["../secret", "a/b", "", ".", "NSQ", "a.b", "-rf", "a\nb", "nsq\n"])
def test_names_never_leave_the_directory(away, name):
    with pytest.raises(UserError, match="cannot name"):
        weights_path(away, "digits", name)
    with pytest.raises(UserError, match="cannot name"):
        find_model(name, "nsq")


def test_list_models_shows_each_once(away):
    store_sq(away / "models", 2)
    store_sq(away / "models", 4, defense="nsq")
    store_sq(away / "given", 3)
    found = list_models(away / "given")
    cards = [model.card for model in found if isinstance(model, StoredModel)]
    assert [(card.defense, card.seed) for card in cards] == [("nsq", 4), ("sq", 3)]
    hidden = list_models(away / "nowhere")[1]
    assert isinstance(hidden, StoredModel)
    assert hidden.card.seed == 2


def test_other_peoples_files_are_no_models_and_damaged_ones_hide_no_other(away, shell):
    """Folders as those of Hugging Face and of other tools, and in between a model and two that were one."""
    for name in ("bert/config.json", "loras/style.json", "loras/style.safetensors", "digits/notes.txt"):
        (away / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (away / "models" / name).write_text('{"hidden_size": 768}')
    store_sq(away / "models")
    card_path(store_sq(away / "models", defense="natural").weights).write_text("{")
    store_sq(away / "models", defense="nsq").weights.unlink()
    damaged, halved, sound = list_models()
    assert isinstance(sound, StoredModel)
    assert isinstance(damaged, DamagedModel)
    assert isinstance(halved, DamagedModel)
    assert "natural.json cannot be read" in damaged.problem
    assert "nsq.safetensors is missing" in halved.problem
    typed = shell("list", "models")
    assert typed.code == 0
    for word in ("sq", "50.0 %", "damaged", "natural.json cannot be read", "nsq.safetensors is missing"):
        assert word in typed.out
    assert "bert" not in typed.out + typed.err


def test_the_search_path_holds_no_directory_twice(away):
    assert len(search_path(away / "models")) == 2


def test_reading_cards_imports_no_torch():
    code = "import sys, robbench.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
