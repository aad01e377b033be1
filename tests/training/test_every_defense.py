"""What every registered defense keeps to while it trains, whoever wrote it."""

from dataclasses import replace

import pytest
import torch

from robbench.datasets import TrainingPlan, datasets
from robbench.defenses import DefenseRecipe, defenses
from robbench.defenses.options import build_recipe
from robbench.training import TrainingRequest, train
from robbench.training.request import settle
from robbench.training.running import TrainingRun
from tests.training.small import interrupted, split

INFO = datasets.get("digits")
NAMES = [
    name
    for name, recipe in defenses.items()
    if isinstance(recipe, type) and issubclass(recipe, DefenseRecipe)
]
# Batch normalization is where a recipe can leave the network in the wrong mode.
NETWORK = "residual_cnn"
RADIUS = 0.1
"""Small enough that every defense learns something in a few steps."""


def options(name):
    """A smaller ε where there is one: what is shown is that training works, not how far it gets."""
    fields = build_recipe(name, INFO).__dict__
    return {key: value for key, value in (("epsilon", RADIUS), ("noise", RADIUS)) if key in fields}


def asked(folder, name, **plan):
    plan = {"held_out": 0, **plan}
    info = replace(INFO, training=TrainingPlan(30, 32, "adam", 3e-3))
    return TrainingRequest(
        name, info, split(160, 0), split(40, 1), options(name), plan=plan, models_dir=folder
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_falls_and_everything_stays_finite(tmp_path, name):
    run = TrainingRun(settle(asked(tmp_path, name)))
    first = run.stretch(8).loss
    run.stretch(14)
    last = run.stretch(8).loss
    assert last < first
    assert all(torch.isfinite(tensor).all() for tensor in run.defense.model.state_dict().values())
    assert run.counter.forward >= 30 * 32
    assert run.counter.backward >= 30 * 32


@pytest.mark.parametrize("name", NAMES)
def test_batch_normalization_is_left_in_training_mode_and_learns(tmp_path, name):
    job = settle(replace(asked(tmp_path, name), network=NETWORK, train=split(16, 0)))
    run = TrainingRun(job)
    run.stretch(2)
    assert all(module.training for module in run.defense.model.modules())
    assert all(weight.requires_grad for weight in run.defense.model.parameters())
    norms = [module for module in run.defense.model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert all(norm.running_mean is not None and norm.running_mean.abs().sum() > 0 for norm in norms)


@pytest.mark.parametrize("name", NAMES)
def test_killed_and_asked_again_it_ends_with_the_same_weights(tmp_path, name):
    # An average, label smoothing and the watch have to survive too; 11 is no multiple of a replay.
    plan = {"iterations": 16, "averaging": 0.9, "label_smoothing": 0.1, "held_out": 2}
    expected = train(asked(tmp_path / "undisturbed", name, **plan))
    interrupted(asked(tmp_path / "again", name, **plan), 11)
    card = train(asked(tmp_path / "again", name, **plan))
    assert card.sha256 == expected.sha256
    assert (card.n_forward, card.n_backward) == (expected.n_forward, expected.n_backward)
    assert card.watch is not None
    assert expected.watch is not None
    assert card.watch.looks == expected.watch.looks


@pytest.mark.parametrize("name", NAMES)
def test_what_is_carried_is_in_the_checkpoint(tmp_path, name):
    run = TrainingRun(settle(asked(tmp_path, name)))
    run.stretch(3)
    carried = run.checkpoint().carried
    assert carried.keys() == run._carried.keys()
    assert all(not tensor.requires_grad for tensor in carried.values())
    assert bool(carried) == (build_recipe(name, INFO).replays > 1)


def test_replays_show_the_same_batch_augmented_alike(tmp_path):
    changes = {"augment": "true", "iterations": 24}
    run = TrainingRun(settle(asked(tmp_path, "free-at", **changes)))
    seen = []
    for _ in range(17):
        seen.append(run._next_batch())
        run.step += 1
    for step in range(1, 17):
        same = torch.equal(seen[step].images, seen[step - 1].images)
        assert same == (step % 8 != 0)
    # Other random numbers in every replay, though: a recipe that draws noise draws it anew.
    draws = []
    for step in range(3):
        run.step = step
        draws.append(torch.rand(1, generator=run._next_batch().generator).item())
    assert len(set(draws)) == 3
