"""Weights that others trained: torchvision's own network and the adopted one agree, and can be fine-tuned."""

import pytest
import torch
from torchvision.models import inception_v3

from robbench.datasets import load_dataset
from robbench.defenses.loading import load_defense
from robbench.errors import UserError
from robbench.models import find_model
from robbench.training import TrainingRequest, train
from robbench.training.adopting import Adoption, adopt
from tests.datasets.files import encode, random_pixels, write_images

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """Two images of two classes, the training split the same as the test split."""
    images = [encode(random_pixels(3, 320, 300, seed=seed), "JPEG") for seed in range(2)]
    for split in ("train", "val"):
        write_images(tmp_path / "data" / split, images, ["0", "1"], "JPEG")
    return tmp_path


def test_adopted_weights_classify_as_torchvision_does_and_can_be_fine_tuned(folder):
    torch.manual_seed(0)
    theirs = inception_v3(weights=None, num_classes=2, aux_logits=True, init_weights=False)
    # Weights that 16 bits hold exactly, so that rounding explains no difference.
    theirs.load_state_dict({name: t.half().to(t.dtype) for name, t in theirs.state_dict().items()})
    state = {name: t for name, t in theirs.state_dict().items() if not name.endswith("num_batches_tracked")}
    torch.save(state, folder / "theirs.pth")
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
    with pytest.raises(UserError, match="cannot be read"):
        adopt(Adoption(info, test, folder / "nowhere.pth", *place))
    digits, images = load_dataset("digits")
    with pytest.raises(UserError, match="digits_cnn"):
        adopt(Adoption(digits, images, path, *place))
    assert not (folder / "models").exists()
