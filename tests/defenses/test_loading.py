import pytest
import torch

import robbench.models.search
from robbench.datasets import datasets
from robbench.defenses.loading import load_defense, pretrained
from robbench.errors import UserError
from robbench.models import weights_path
from robbench.models.weights import halve, save_model
from robbench.networks import build_network
from tests.models.stored import SHAPE, make_card, store_sq

INFO = datasets.get("digits")


@pytest.fixture(autouse=True)
def away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(robbench.models.search, "PACKAGE", tmp_path / "site-packages" / "robbench")


def test_a_stored_defense_is_rebuilt_from_its_card(tmp_path):
    stored = store_sq(tmp_path, options={"levels": 3, "alpha": 50.0})
    loaded = load_defense("sq", INFO, 10, SHAPE, tmp_path)
    assert (loaded.name, loaded.title, loaded.card) == ("sq", "SQ", stored.card)
    assert loaded.weights_sha256 == stored.card.sha256
    assert loaded.origin == str(weights_path(tmp_path, "digits", "sq"))
    assert (loaded.defense.layer.levels, loaded.defense.layer.alpha) == (3, 50.0)  # pyright: ignore[reportOptionalMemberAccess]
    assert loaded.defense.views == ("exact", "bpda", "substitute", "smooth")
    assert not any(
        module.training for view in loaded.defense.views for module in loaded.defense.view(view).modules()
    )
    torch.manual_seed(0)
    network = build_network("digits_cnn", SHAPE, 10)
    found = loaded.defense.network.state_dict()
    assert all(torch.equal(found[key], value.half().float()) for key, value in network.state_dict().items())


def test_a_pretrained_defense_may_lie_in_a_folder_given_as_text(tmp_path):
    store_sq(tmp_path, options={"levels": 3, "alpha": 50.0})
    assert pretrained("sq", "digits", str(tmp_path)).layer.levels == 3  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize(
    ("classes", "shape"),
    [(10, (1, 16, 16)), (11, (1, 8, 8)), (10, (3, 8, 8))],
)
def test_a_model_for_other_images_or_classes_does_not_fit(tmp_path, classes, shape):
    store_sq(tmp_path)
    with pytest.raises(
        UserError, match=r"sq.safetensors does not fit the network digits_cnn: 1\..* instead of"
    ):
        load_defense("sq", INFO, classes, shape, tmp_path)


def test_images_of_some_classes_suit_a_model_of_all(tmp_path):
    store_sq(tmp_path)
    defense = load_defense("sq", INFO, 4, SHAPE, tmp_path).defense
    assert defense.model(torch.rand(2, *SHAPE)).shape == (2, 10)


def test_a_model_of_another_network_does_not_fit(tmp_path):
    store_sq(tmp_path, network="residual_cnn")
    with pytest.raises(
        UserError, match=r"does not fit the network residual_cnn: the file lacks 1\..* and \d+ more"
    ):
        load_defense("sq", INFO, 10, SHAPE, tmp_path)


def test_surplus_tensors_do_not_fit(tmp_path):
    torch.manual_seed(0)
    state = build_network("digits_cnn", SHAPE, 10).state_dict()
    state = {f"1.{key}": tensor for key, tensor in state.items()} | {"extra": torch.zeros(1)}
    save_model(tmp_path, make_card(), halve(state))
    with pytest.raises(UserError, match="also holds extra"):
        load_defense("sq", INFO, 10, SHAPE, tmp_path)


def test_a_network_that_is_not_registered_is_said(tmp_path):
    store_sq(tmp_path, network="resnet_1000")
    with pytest.raises(UserError, match="no network called 'resnet_1000'"):
        load_defense("sq", INFO, 10, SHAPE, tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [("nqs", "Did you mean nsq"), ("nsq", "no trained model of nsq on digits"), ("", "no defense")],
)
def test_what_is_not_there_is_said(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        load_defense(name, INFO, 10, SHAPE, tmp_path)
