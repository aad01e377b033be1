import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from robbench.datasets import Dataset, datasets
from robbench.defenses.loading import load_defense
from robbench.defenses.registration import defenses
from robbench.errors import UserError
from robbench.models import card_path, find_model, read_card, weights_path
from robbench.training import precision, train
from robbench.training.checkpoint import checkpoint_path, save_checkpoint
from robbench.training.lock import sole_writer
from robbench.training.request import settle
from robbench.training.running import TrainingRun
from tests.training.small import INFO, interrupted, request, split


class Watcher:
    def __init__(self):
        self.starts, self.progress, self.notices = [], [], []

    def on_start(self, step, total):
        self.starts.append((step, total))

    def on_progress(self, step, total, loss, accuracy):
        self.progress.append((step, total, loss, accuracy))

    def on_notice(self, text):
        self.notices.append(text)


@pytest.mark.parametrize("defense", ["natural", "sq", "nsq", "pgd-at"])
def test_a_trained_defense_is_there_with_its_card_and_works(tmp_path, defense):
    options = {"pgd-at": {"epsilon": 0.02, "steps": 2, "step_size": 0.01}, "nsq": {"noise": 0.1}}.get(
        defense, {}
    )
    plan = {"iterations": 60, "augment": "false", "learning_rate": 0.01}
    asked = request(tmp_path, defense, options=options, plan=plan, command="robbench train …", seed=3)
    card = train(asked)
    assert card.clean_accuracy > 0.9
    assert (card.seed, card.command, card.network) == (3, "robbench train …", "digits_cnn")
    assert card.options == {**card.options, **options}
    assert card.samples == 60 * 16
    passes = 60 * 16 * (3 if defense == "pgd-at" else 1)
    assert (card.n_forward, card.n_backward) == (passes, passes)
    assert card.train_fingerprint == asked.train.fingerprint
    assert card == find_model("digits", defense, tmp_path).card

    loaded = load_defense(defense, INFO, 10, (1, 8, 8), tmp_path)
    images, labels, _ = asked.test.samples(torch.arange(60))
    correct = (loaded.defense.model(images).argmax(1) == labels).float().mean().item()
    assert correct == pytest.approx(card.clean_accuracy)
    files = {path.name for path in (tmp_path / "digits").iterdir()}
    assert files == {f"{defense}.safetensors", f"{defense}.json"}


def test_the_seed_decides_the_weights(tmp_path):
    seeds = {"a": 0, "b": 0, "c": 1}
    shas = {name: train(request(tmp_path / name, seed=seed)).sha256 for name, seed in seeds.items()}
    assert shas["a"] == shas["b"] != shas["c"]


def test_the_callers_generators_are_left_alone(tmp_path):
    # Python's own is left out: beartype draws from it to check containers.
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1).item(), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    train(request(tmp_path))
    assert (torch.rand(1).item(), np.random.rand()) == expected


def test_progress_is_reported_to_the_end(tmp_path):
    watcher = Watcher()
    train(request(tmp_path), watcher)
    assert watcher.starts == [(0, 40)]
    steps = [step for step, *_ in watcher.progress]
    assert steps == sorted(set(steps))
    assert steps[-1] == 40
    _, _, loss, accuracy = watcher.progress[-1]
    assert 0 < loss < 3
    assert 0 <= accuracy <= 1


def test_a_finished_model_is_left_alone_unless_restarted(tmp_path):
    first = train(request(tmp_path))
    path = weights_path(tmp_path, "digits", "natural")
    written = path.stat().st_mtime_ns
    watcher = Watcher()
    assert train(request(tmp_path), watcher) == first
    assert "is there already" in watcher.notices[0]
    assert watcher.progress == []
    assert path.stat().st_mtime_ns == written
    again = train(request(tmp_path, restart=True))
    assert path.stat().st_mtime_ns != written
    assert again.sha256 == first.sha256


def test_a_model_trained_otherwise_is_not_overwritten(tmp_path):
    train(request(tmp_path))
    with pytest.raises(UserError, match="trained otherwise: seed is 0 there and 7 here") as caught:
        train(request(tmp_path, seed=7))
    assert "--restart" in caught.value.hint
    assert find_model("digits", "natural", tmp_path).card.seed == 0
    assert train(request(tmp_path, seed=7, restart=True)).seed == 7


def test_a_damaged_model_is_not_taken_for_finished(tmp_path):
    train(request(tmp_path))
    path = weights_path(tmp_path, "digits", "natural")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match="not the file that its card describes"):
        train(request(tmp_path))


def test_a_loss_that_is_no_number_ends_the_training_without_a_model(tmp_path):
    with pytest.raises(
        UserError, match=r"training of natural on digits diverged by step .* No model was written"
    ):
        train(request(tmp_path, plan={"learning_rate": 1e30, "optimizer": "sgd"}))
    assert list((tmp_path / "digits").iterdir()) == []


class Streamed(Dataset):
    """A dataset that is not an array."""

    def __init__(self, inner):
        self.inner = inner
        self.name, self.source, self.shape = inner.name, inner.source, inner.shape
        self.classes, self.labels = inner.classes, inner.labels

    def samples(self, indices):
        return self.inner.samples(indices)

    @property
    def fingerprint(self):
        return self.inner.fingerprint

    def first(self, count):
        return Streamed(self.inner.first(count))


@pytest.mark.parametrize("augment", ["true", "false"])
def test_data_read_batch_by_batch_trains_alike(tmp_path, augment):
    asked = request(tmp_path / "a", plan={"augment": augment})
    streamed = replace(request(tmp_path / "b", plan={"augment": augment}), train=Streamed(split(100, 0)))
    assert train(asked).sha256 == train(streamed).sha256


def test_fewer_images_than_a_batch(tmp_path):
    card = train(request(tmp_path, plan={"batch_size": 1000, "iterations": 3}))
    assert card.samples == 300


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"defense": "nqs"}, "Did you mean nsq"),
        ({"network": "digit_cnn"}, "Did you mean digits_cnn"),
        ({"plan": {"iteration": 5}}, "Did you mean iterations"),
        ({"plan": {"iterations": 0}}, "at least 1 iteration"),
        ({"plan": {"batch_size": "many"}}, "batch_size is a whole number"),
        ({"plan": {"learning_rate": -1}}, "learning rate is positive"),
        ({"plan": {"learning_rate": "nan"}}, "learning rate is positive"),
        ({"plan": {"optimizer": "adamw"}}, "no optimizer called 'adamw'"),
        ({"plan": {"augment": "perhaps"}}, "augment is true or false"),
        ({"options": {"alpha": 3}}, "no option of the defense"),
        (
            {"network": "preact_resnet18", "plan": {"batch_size": 1}},
            "preact_resnet18 normalizes over its batches",
        ),
    ],
)
def test_a_request_that_cannot_be_writes_nothing(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        train(replace(request(tmp_path / "models"), **changes))
    assert not (tmp_path / "models").exists()


def test_batch_norm_trains_and_the_residual_network_runs(tmp_path):
    card = train(request(tmp_path, network="residual_cnn", plan={"iterations": 2, "optimizer": "sgd"}))
    loaded = load_defense("natural", INFO, 10, (1, 8, 8), tmp_path)
    means = [value for key, value in loaded.defense.model.state_dict().items() if "running_mean" in key]
    assert all(mean.abs().sum() > 0 for mean in means)
    assert card.network == "residual_cnn"


def test_a_last_image_alone_is_refused_where_it_cannot_be_normalized(tmp_path):
    asked = request(tmp_path, network="preact_resnet18", plan={"iterations": 2})
    with pytest.raises(UserError, match="at least 2 images"):
        train(replace(asked, train=split(2, 0), plan={**asked.plan, "held_out": 1}))
    # Features of more than one place have a deviation in one image, too, and other networks need none.
    for network in ("residual_cnn_16", "digits_cnn"):
        plan = {"iterations": 1, "batch_size": 1}
        assert train(request(tmp_path / network, network=network, plan=plan)).samples == 1


@pytest.mark.parametrize(
    "damage",
    [{"weights": {}}, {"weights": {"a": 1}}, {"optimizer": {}}, {"optimizer": {"state": 0}},
     {"step": "x"}, {"identity": None}, {"iterations": None}, {"carried": {"a": None}},
     {"watch": {"looks": 3}}],
    ids=repr,
)  # fmt: skip
def test_a_checkpoint_of_other_values_is_named(tmp_path, damage):
    asked = request(tmp_path, plan={"held_out": 10})
    path = interrupted(asked)
    torch.save({**torch.load(path), **damage}, path)
    with pytest.raises(UserError, match=r"checkpoint .*natural.checkpoint cannot be read") as caught:
        train(asked)
    assert "Delete it" in caught.value.hint
    assert not weights_path(tmp_path, "digits", "natural").exists()


def test_a_checkpoint_of_another_device_is_not_gone_on_from(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    asked = request(tmp_path)
    path = interrupted(asked)
    kept = torch.load(path)
    assert kept["place"] == "cpu in float32"
    for place in ("cuda in bfloat16", "cpu in bfloat16"):
        torch.save({**kept, "place": place}, path)
        with pytest.raises(
            UserError, match=f"computed on {place}, and this would go on on cpu in float32"
        ) as caught:
            train(asked)
        assert "by --device or on that machine" in caught.value.hint
    torch.save({**kept, "place": ""}, path)  # as an older robbench wrote it
    train(asked)


def test_two_writers_of_one_model(tmp_path):
    with (
        sole_writer(weights_path(tmp_path, "digits", "natural")),
        pytest.raises(UserError, match="Another process is writing"),
    ):
        train(request(tmp_path))


def test_a_model_that_was_written_just_before_the_process_died(tmp_path):
    """The checkpoint is still there: the training ends again, with the same model."""
    kept = train(request(tmp_path)).sha256
    job = settle(request(tmp_path))
    save_checkpoint(checkpoint_path(job.weights), TrainingRun(job).checkpoint())
    card_path(weights_path(tmp_path, "digits", "natural")).write_text("{}")
    assert train(request(tmp_path)).sha256 == kept
    assert not checkpoint_path(weights_path(tmp_path, "digits", "natural")).exists()


def test_the_shipped_models_match_their_cards_and_their_data():
    from robbench.models.search import PACKAGE

    info = datasets.get("digits")
    for defense in defenses.names():
        stored = read_card(weights_path(PACKAGE.parent / "models", "digits", defense))
        assert stored.card.train_fingerprint == info.load(None, "train").fingerprint
        loaded = load_defense(defense, info, 10, info.shape, PACKAGE.parent / "models")
        test = info.load(None, "test")
        images, labels, _ = test.samples(torch.arange(len(test)))
        with torch.no_grad():
            right = int((loaded.defense.model(images).argmax(1) == labels).sum())
        # Another CPU may round a tie the other way.
        assert abs(right - stored.card.clean_accuracy * len(test)) <= 1
        assert json.loads(card_path(stored.weights).read_text())["seed"] == 0
        assert stored.weights.stat().st_size < 500_000
