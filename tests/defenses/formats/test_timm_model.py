import sys

import pytest
import torch
from safetensors.torch import save_file

from robbench.defenses.loading import load_defense
from robbench.errors import UserError
from tests.defenses.formats.loaded import INFO, load

MODEL = "test_resnet.r160_in1k"
IMAGES = torch.rand(3, 1, 8, 8)


@pytest.fixture
def timm():
    return pytest.importorskip("timm")


@pytest.fixture
def weights(timm, tmp_path):
    network = timm.create_model(MODEL, num_classes=10, in_chans=1).eval()
    save_file(network.state_dict(), tmp_path / "own.safetensors")
    return network, tmp_path / "own.safetensors"


def test_weights_from_a_file_and_the_normalization_inside(timm, weights):
    network, path = weights
    loaded = load(f"timm:{MODEL}:weights={path}")
    assert loaded.name == "timm.test_resnet.r160_in1k.own"
    config = timm.data.resolve_model_data_config(network)
    mean, deviation = sum(config["mean"]) / 3, sum(config["std"]) / 3
    torch.testing.assert_close(loaded.defense.model(IMAGES), network((IMAGES - mean) / deviation))


def test_published_weights_without_a_network_are_one_message(timm, monkeypatch):
    def offline(*arguments, **options):
        raise OSError("the hub is out of reach\nand more")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        UserError, match=r"(?s)could not be fetched: the hub is out of reach\n.*:weights=FILE"
    ):
        load(f"timm:{MODEL}")


def test_published_weights_for_other_classes_are_refused(timm, monkeypatch):
    build = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda model, pretrained: build(model))
    with pytest.raises(UserError, match="tells 1000 classes apart, digits has 10"):
        load(f"timm:{MODEL}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:resnet81", "Did you mean .*resnet"),
        (f"timm:{MODEL}:pretrained", "'pretrained' is no option"),
        (f"timm:{MODEL}:weights=", "'weights=' is no option"),
        (f"timm:{MODEL}:weights=nonesuch.safetensors", "There is no file nonesuch"),
    ],
)
def test_what_can_go_wrong_is_said(timm, name, message):
    with pytest.raises(UserError, match=message):
        load(name)


def test_weights_that_do_not_fit_are_said(timm, weights, tmp_path):
    _, path = weights
    with pytest.raises(UserError, match=r"does not fit resnet18 with 10 classes"):
        load(f"timm:resnet18:weights={path}")
    (tmp_path / "bad.safetensors").write_bytes(b"PK")
    with pytest.raises(UserError, match="no safetensors file"):
        load(f"timm:{MODEL}:weights={tmp_path / 'bad.safetensors'}")


def test_without_timm_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"(?s)not installed.*robbench\[timm\]"):
        load("timm:resnet18")


def test_images_of_some_classes_suit_a_model_of_all(timm, weights):
    _, path = weights
    defense = load_defense(f"timm:{MODEL}:weights={path}", INFO, 4, (1, 8, 8)).defense
    assert defense.model(IMAGES).shape == (3, 10)
