import dataclasses

import pytest
import torch
from torch import nn

from robbench.datasets import datasets
from robbench.defenses import Defense, TrainingBatch, defenses
from robbench.defenses.options import build_recipe, recipe_options
from robbench.errors import UserError
from tests.oracles import SmoothNet

NAMES = ["natural", "nsq", "pgd-at", "sq"]


class Recorder(nn.Module):
    """A network that keeps what it was given."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.seen = []

    def forward(self, images):
        self.seen.append(images.detach().clone())
        return self.network(images)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(32, 1, 8, 8, generator=generator)
    images[:, :, :2] = 0.0
    images[:, :, -2:] = 1.0
    return images, torch.randint(5, (32,), generator=generator)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_four_defenses_are_registered():
    assert set(NAMES) <= set(defenses.names())
    titles = {name: defenses.get(name).title for name in NAMES}
    assert titles == {"natural": "Natural", "pgd-at": "PGD-AT", "sq": "SQ", "nsq": "NSQ"}


@pytest.mark.parametrize("name", NAMES)
def test_the_papers_values_are_the_defaults(name):
    info = datasets.get("cifar10")
    expected = {
        "natural": {},
        "pgd-at": {"epsilon": 8 / 255, "steps": 7, "step_size": 2 / 255},
        "sq": {"levels": 2, "alpha": 25_500},
        "nsq": {"levels": 2, "alpha": 25_500, "noise": 16 / 255},
    }
    recipe = build_recipe(name, info)
    assert recipe_options(recipe) == expected[name]
    assert recipe.plan(info) == info.training


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_reaches_every_weight_and_is_repeatable(name, batch):
    losses = []
    for _ in range(2):
        network = SmoothNet()
        defense = build_recipe(name, datasets.get("digits")).wrap(network)
        loss = build_recipe(name, datasets.get("digits")).loss(
            defense, TrainingBatch(batch[0], batch[1], seeded())
        )
        loss.backward()
        assert loss.shape == ()
        assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
        losses.append(loss.item())
    assert losses[0] == losses[1]


def test_natural_and_sq_train_on_the_images_themselves(batch):
    images, labels = batch
    for name in ("natural", "sq"):
        recipe = build_recipe(name, datasets.get("digits"), {"alpha": 7} if name == "sq" else {})
        recorder = Recorder(SmoothNet())
        defense = recipe.wrap(recorder)
        recipe.loss(defense, TrainingBatch(images, labels, seeded()))
        expected = images if defense.layer is None else defense.layer(images)
        assert torch.equal(recorder.seen[0], expected)


def test_nsq_adds_uniform_noise_clips_and_quantizes(batch):
    images, labels = batch
    recipe = build_recipe("nsq", datasets.get("digits"), {"noise": 0.3})
    recorder = Recorder(SmoothNet())
    seen = []
    defense = Defense(recorder, layer=_Tap(seen))
    recipe.loss(defense, TrainingBatch(images, labels, seeded(3)))
    noise = 0.6 * torch.rand(images.shape, generator=seeded(3)) - 0.3
    assert torch.allclose(seen[0], (images + noise).clamp(0, 1), atol=1e-7)
    inside = ((images > 0.3) & (images < 0.7)).flatten()
    drawn = (seen[0] - images).flatten()[inside]
    assert 0.25 < drawn.max() <= 0.3
    assert -0.3 <= drawn.min() < -0.25
    assert recipe.wrap(SmoothNet()).views == ("exact", "bpda", "substitute", "smooth")


class _Tap(nn.Module):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def forward(self, images):
        self.seen.append(images.detach().clone())
        return images


def test_pgd_at_trains_on_images_in_the_ball_and_the_box_that_are_worse(batch):
    images, labels = batch
    recipe = build_recipe("pgd-at", datasets.get("digits"), {"epsilon": "0.1", "steps": 5, "step_size": 0.04})
    recorder = Recorder(SmoothNet())
    defense = recipe.wrap(recorder)
    recipe.loss(defense, TrainingBatch(images, labels, seeded())).backward()
    assert len(recorder.seen) == 6
    for seen in recorder.seen:
        assert (seen - images).abs().max() <= 0.1 + 1e-6
        assert seen.min() >= 0
        assert seen.max() <= 1
    assert (recorder.seen[0] - images).abs().max() > 0.05  # a random start
    cross_entropy = nn.functional.cross_entropy
    start, last = (cross_entropy(recorder.network(recorder.seen[i]), labels) for i in (0, -1))
    assert last > start + 0.1


def test_the_inner_attack_leaves_no_weight_gradient(batch):
    recipe = build_recipe("pgd-at", datasets.get("digits"))
    network = SmoothNet()
    loss = recipe.loss(recipe.wrap(network), TrainingBatch(batch[0], batch[1], seeded()))
    assert all(weight.grad is None for weight in network.parameters())
    loss.backward()
    found = [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]
    # The same as the gradient at the last iterate alone, so nothing of the attack leaked into it.
    recorder = Recorder(SmoothNet())
    recipe.loss(recipe.wrap(recorder), TrainingBatch(batch[0], batch[1], seeded()))
    network.zero_grad()
    nn.functional.cross_entropy(network(recorder.seen[-1]), batch[1]).backward()
    expected = [weight.grad for weight in network.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True) if b is not None)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nsq", {"nois": 0.3}, "Did you mean noise"),
        ("natural", {"alpha": 1}, "no option of the defense 'natural'"),
        ("sq", {"levels": "2.5"}, "levels is a whole number, not '2.5'"),
        ("sq", {"levels": 0}, "at least 1 level"),
        ("sq", {"alpha": "steep"}, "alpha is a number"),
        ("sq", {"alpha": "1/0"}, "alpha is a number"),
        ("sq", {"levels": float("inf")}, "levels is a whole number"),
        ("nsq", {"noise": -0.1}, "between 0 and 1"),
        ("nsq", {"noise": "nan"}, "between 0 and 1"),
        ("pgd-at", {"epsilon": 0}, "epsilon lies above 0"),
        ("pgd-at", {"steps": 0}, "takes 1 step or more"),
        ("pgd-at", {"step_size": 8}, "takes 1 step or more"),
        ("nqs", {}, "Did you mean nsq"),
    ],
)
def test_bad_options_are_the_users_to_mend(name, options, message):
    with pytest.raises(UserError, match=message):
        build_recipe(name, datasets.get("digits"), options)


def test_options_are_read_from_text():
    recipe = build_recipe("nsq", datasets.get("digits"), {"levels": "2", "alpha": "1e4", "noise": "16/255"})
    assert recipe_options(recipe) == {"levels": 2, "alpha": 10_000.0, "noise": 16 / 255}
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.levels = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_a_ready_made_defense_has_no_recipe(monkeypatch):
    monkeypatch.setitem(defenses._members, "ready-made", lambda: None)
    with pytest.raises(UserError, match="no recipe to train it"):
        build_recipe("ready-made", datasets.get("digits"))
