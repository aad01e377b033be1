"""Weights that others trained: torchvision's own network and the adopted one agree, and can be fine-tuned."""

from dataclasses import asdict, replace

import pytest
import torch
from torchvision.models import inception_v3

from robbench.datasets import load_dataset
from robbench.defenses.loading import load_defense
from robbench.errors import UserError
from robbench.files import write_json
from robbench.models import StoredModel, card_path, find_model, weights_path
from robbench.models.weights import read_weights
from robbench.training import TrainingRequest, train
from robbench.training.adopting import Adoption, adopt
from robbench.training.checkpoint import checkpoint_path
from robbench.training.lock import sole_writer
from tests.datasets.files import encode, random_pixels, write_images

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """Two images of two classes, the training split the same as the test split."""
    images = [encode(random_pixels(3, 320, 300, seed=seed), "JPEG") for seed in range(2)]
    for split in ("train", "val"):
        write_images(tmp_path / "data" / split, images, ["0", "1"], "JPEG")
    return tmp_path


def save_theirs(path, seed=0):
    """Weights as torchvision stores them, exact in 16 bits, so that rounding explains no difference."""
    torch.manual_seed(seed)
    theirs = inception_v3(weights=None, num_classes=2, aux_logits=True, init_weights=False)
    theirs.load_state_dict({name: t.half().to(t.dtype) for name, t in theirs.state_dict().items()})
    state = {name: t for name, t in theirs.state_dict().items() if not name.endswith("num_batches_tracked")}
    torch.save(state, path)
    return theirs


def test_adopted_weights_classify_as_torchvision_does_and_can_be_fine_tuned(folder):
    theirs = save_theirs(folder / "theirs.pth")
    info, test = load_dataset("imagenet", folder / "data", "test")
    models = folder / "models"
    card = adopt(Adoption(info, test, folder / "theirs.pth", models, CPU, "robbench adopt"))
    assert card.test_samples == 2
    images, labels, _ = test.samples(torch.arange(2))
    with torch.no_grad():
        expected = theirs.eval()((images - 0.5) / 0.5)
    assert card.clean_accuracy == (expected.argmax(1) == labels).float().mean().item()

    ours = load_defense("natural", info, 2, info.shape, models).defense.model
    with torch.no_grad():
        assert torch.allclose(ours(images), expected, atol=1e-4)

    natural = find_model("imagenet", "natural", models)
    _, train_split = load_dataset("imagenet", folder / "data", "train")
    plan = {"iterations": 1, "batch_size": 2}
    asked = TrainingRequest("nsq", info, train_split, test, plan=plan, start=natural, models_dir=models)
    tuned = train(asked)
    assert tuned.start == natural.card.sha256
    assert (tuned.options["levels"], tuned.options["alpha"]) == (8, 10_000)


def test_only_what_was_adopted_from_the_same_weights_is_replaced_unasked(folder, shell):
    info, test = load_dataset("imagenet", folder / "data", "test")
    models = folder / "models"
    asked = Adoption(info, test, folder / "theirs.pth", models, CPU, "robbench adopt")
    save_theirs(folder / "theirs.pth")
    first = adopt(asked)
    assert adopt(asked).sha256 == first.sha256
    place = weights_path(models, "imagenet", "natural")

    save_theirs(folder / "theirs.pth", seed=1)
    with pytest.raises(UserError, match="is another model, not adopted from these weights") as caught:
        adopt(asked)
    assert "robbench adopt --restart" in caught.value.hint
    write_json(card_path(place), {**asdict(first), "start": "", "source": "trained"})
    with pytest.raises(UserError, match="is another model"):
        adopt(asked)
    checkpoint_path(place).write_bytes(b"of a training")
    with pytest.raises(UserError, match="training that was interrupted"):
        adopt(asked)
    with sole_writer(place), pytest.raises(UserError, match="Another process is writing"):
        adopt(replace(asked, restart=True))
    assert read_weights(StoredModel(place, first)), "nothing was replaced so far"

    places = ("--data-dir", folder / "data", "--models-dir", models, "--device", "cpu")
    typed = shell("adopt", "--weights", folder / "theirs.pth", "--restart", *places)
    assert typed.code == 0, typed.err
    assert find_model("imagenet", "natural", models).card.sha256 != first.sha256
    assert not checkpoint_path(place).exists()


def test_what_does_not_fit_is_refused(folder):
    info, test = load_dataset("imagenet", folder / "data", "test")
    path = folder / "theirs.pth"
    place = (folder / "models", CPU, "")
    torch.save({"fc.weight": torch.zeros(1000, 2048)}, path)
    with pytest.raises(UserError, match="does not fit inception_v3 of 2 classes"):
        adopt(Adoption(info, test, path, *place))
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(UserError, match="cannot be read"):
        adopt(Adoption(info, test, path, *place))
    with pytest.raises(UserError, match="cannot be read: No such file"):
        adopt(Adoption(info, test, folder / "nowhere.pth", *place))
    for content in ({0: torch.zeros(1)}, {"fc.weight": 1}, [torch.zeros(1)]):
        torch.save(content, path)
        with pytest.raises(UserError, match="holds no table of tensors by name"):
            adopt(Adoption(info, test, path, *place))
    # One byte of an old-format file makes the unpickler raise almost anything: here seven types.
    torch.save({"fc.weight": torch.zeros(9)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for position in (0, 14, 28, 236, 262, 269, 327):
        path.write_bytes(whole[:position] + b"q" + whole[position + 1 :])
        with pytest.raises(UserError, match=r"cannot be read|holds no table|does not fit") as refused:
            adopt(Adoption(info, test, path, *place))
        assert "weights_only" not in str(refused.value)
    digits, images = load_dataset("digits")
    with pytest.raises(UserError, match="digits_cnn"):
        adopt(Adoption(digits, images, path, *place))
    assert not (folder / "models").exists()
