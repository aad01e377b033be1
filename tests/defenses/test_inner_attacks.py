"""What every recipe with an attack inside owes: box, ball, modes, no trace, any precision."""

import pytest
import torch

from robbench.datasets import datasets
from robbench.defenses import TrainingBatch, defenses
from robbench.defenses.options import build_recipe, recipe_options
from robbench.errors import UserError
from tests.defenses.literal import Recorder, make_batch
from tests.oracles import SmoothNet

ADVERSARIAL = [
    "backward-smoothing",
    "fast-at",
    "fast-at-ga",
    "fast-bat",
    "fgsm-at",
    "free-at",
    "n-fgsm",
    "nsq-fgsm",
    "pgd-at",
    "pgd2-at",
    "trades",
]
FAMILY = [*ADVERSARIAL, "binarize", "stability"]
EVAL_INSIDE = {"backward-smoothing": 3, "trades": 11}
"""Forward passes in eval mode, as the authors' code of these two has it; the others train throughout."""


def images(dtype: torch.dtype = torch.float32) -> TrainingBatch:
    return make_batch(16, (1, 8, 8), dtype)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial_images_stay_in_box_and_ball_and_differ_from_the_images(name):
    info, recorder, batch = datasets.get("cifar10"), Recorder(SmoothNet()), images()
    recipe = build_recipe(name, info, {"epsilon": 0.1})
    defense = recipe.wrap(recorder)
    tapped: list[torch.Tensor] = []
    defense.model.register_forward_pre_hook(lambda _, inputs: tapped.append(inputs[0].detach().clone()))
    for _ in range(2):  # free-at's perturbation is zero in its first step
        tapped.clear()
        recipe.loss(defense, batch).backward()
        recipe.after_backward(defense, batch)
    last = tapped[-1]
    assert last.min() >= 0
    assert last.max() <= 1
    distance = (last - batch.images).abs().max()
    # N-FGSM's noise of twice ε comes on top of its step, as its docstring says.
    assert 0.05 < distance <= (0.3 if name == "n-fgsm" else 0.1) + 1e-6


@pytest.mark.parametrize("name", FAMILY)
def test_batch_normalization_is_in_the_mode_that_the_papers_use_and_left_in_training_mode(name):
    recorder = Recorder(SmoothNet())
    recipe = build_recipe(name, datasets.get("digits"))
    defense = recipe.wrap(recorder)
    defense.model.train()
    recipe.loss(defense, images())
    assert recorder.modes.count(False) == EVAL_INSIDE.get(name, 0)
    assert recorder.modes[-1]
    assert all(module.training for module in defense.model.modules())


@pytest.mark.parametrize("name", FAMILY)
def test_the_loss_is_finite_repeatable_and_reaches_every_weight_in_bfloat16_too(name):
    for enabled in (False, True):
        losses = []
        for _ in range(2):
            network = SmoothNet()
            recipe = build_recipe(name, datasets.get("digits"))
            batch = images()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                loss = recipe.loss(recipe.wrap(network), batch)
            # Nothing of the attack inside is left in the weights.
            assert all(weight.grad is None for weight in network.parameters())
            loss.backward()
            recipe.after_backward(recipe.wrap(network), batch)
            assert loss.shape == ()
            for weight in network.parameters():
                assert weight.grad is not None
                assert torch.isfinite(weight.grad).all()
                assert weight.grad.abs().sum() > 0
            losses.append(loss.item())
        assert losses[0] == losses[1]


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("dataset", ["digits", "mnist", "cifar10", "imagenet"])
def test_every_dataset_has_values_and_every_radius_takes_them_along(name, dataset):
    info = datasets.get(dataset)
    options = recipe_options(build_recipe(name, info))
    if "epsilon" in options:
        assert options["epsilon"] == info.inner_attack.epsilon
        for epsilon in (1 / 255, 0.5, 1.0):
            assert recipe_options(build_recipe(name, info, {"epsilon": epsilon}))["epsilon"] == epsilon
    assert build_recipe(name, info, options) == build_recipe(name, info)


def test_step_sizes_and_noise_follow_the_radius_unless_given():
    info = datasets.get("cifar10")

    def options(name: str, **given: str) -> dict[str, float]:
        return recipe_options(build_recipe(name, info, given))

    assert options("fast-at", epsilon="16/255")["step_size"] == pytest.approx(20 / 255)
    assert options("pgd-at", epsilon="16/255")["step_size"] == pytest.approx(4 / 255)
    assert options("n-fgsm", epsilon="4/255")["noise"] == pytest.approx(8 / 255)
    assert options("trades", epsilon="16/255")["step_size"] == pytest.approx(4 / 255)
    assert options("fast-at-ga", epsilon="16/255")["weight"] == pytest.approx(2.0)
    assert options("fast-bat", epsilon="16/255")["step_size"] == pytest.approx(2000 / 255)
    assert options("fast-at", epsilon="16/255", step_size="1/255")["step_size"] == pytest.approx(1 / 255)


@pytest.mark.parametrize("name", ADVERSARIAL)
@pytest.mark.parametrize("epsilon", [0, -0.1, "nan", "inf", 8])
def test_a_radius_that_is_none_is_refused_before_training(name, epsilon):
    with pytest.raises(UserError, match="epsilon lies above 0 and at most at 1"):
        build_recipe(name, datasets.get("cifar10"), {"epsilon": epsilon})


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("fast-at", "step_size", 0, "step_size is above 0"),
        ("fast-at", "step_size", "inf", "step_size is above 0"),
        ("n-fgsm", "noise", 1.5, "noise lies between 0 and 1"),
        ("n-fgsm", "noise", 0, "noise is above 0"),
        ("fast-at-ga", "weight", -1, "weight is above 0"),
        ("fast-bat", "regularization", 0, "regularization is above 0"),
        ("fast-bat", "step_size", "nan", "step_size is above 0"),
        ("trades", "steps", 0, "steps is above 0"),
        ("trades", "beta", 0, "beta is above 0"),
        ("backward-smoothing", "gamma", 0, "gamma is above 0"),
        ("free-at", "repeats", 0, "repeats is above 0"),
        ("free-at", "repeats", 2.5, "repeats is a whole number"),
        ("stability", "noise", 2, "noise lies between 0 and 1"),
        ("stability", "weight", 0, "weight is above 0"),
        ("nsq-fgsm", "noise", 1.01, "noise lies between 0 and 1"),
        ("nsq-fgsm", "levels", 0, "at least 1 level"),
        ("pgd2-at", "step_size", -1, "step_size is above 0"),
        ("binarize", "threshold", 0.3, "no option of the defense 'binarize'"),
        ("trades", "betta", 1, "Did you mean beta"),
    ],
)
def test_other_options_out_of_range_are_refused_too(name, option, value, message):
    with pytest.raises(UserError, match=message):
        build_recipe(name, datasets.get("digits"), {option: value})


def test_single_step_recipes_ask_to_be_watched():
    watched = {name for name, recipe in defenses.items() if getattr(recipe, "watched", False)}
    assert watched == set(ADVERSARIAL) - {"pgd-at", "pgd2-at", "trades"}
