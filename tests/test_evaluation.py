"""robbench.evaluate, as in a notebook."""

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import robbench
from robbench.errors import UserError
from robbench.evaluation import EvaluationOptions
from tests.oracles import Scattering, critical_epsilon, linear_oracle


@pytest.fixture
def linear():
    return linear_oracle(count=60)


def test_the_curve_of_a_linear_model_is_exact(linear):
    model, images, labels = linear
    grid = [0, 0.02, 0.04, 0.06, 0.08]
    curves = robbench.evaluate(model, (images, labels), ["pgd20"], grid)
    critical = critical_epsilon(model, images, labels, "linf").numpy()
    assert curves.epsilon.tolist() == grid
    assert curves.robust_accuracy.tolist() == [(critical > epsilon).mean() for epsilon in grid]
    assert (curves.ci_low < curves.robust_accuracy).all()


class Rounded(nn.Module):
    """Rounds pixels; told to, it does so in its answer alone, and not in its gradient."""

    def __init__(self, model, straight=False):
        super().__init__()
        self.model, self.straight = model, straight

    def forward(self, images):
        rounded = (images * 16).round() / 16
        return self.model(images + (rounded - images).detach() if self.straight else rounded)


def test_a_gradient_of_zero_is_warned_of(linear):
    model, images, labels = linear
    with pytest.warns(robbench.RobustnessWarning, match="under pgd5: the gradient is exactly zero") as told:
        robbench.evaluate(Rounded(model), (images[:8], labels[:8]), ["pgd5", "noise"], [0, 0.05])
    assert len(told) == 1


ZERO_GRADIENT = """import robbench, torch
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).requires_grad_(False)
class Rounded(torch.nn.Module):
    forward = lambda self, images: net(images.round())
robbench.evaluate(Rounded(), "digits", "fgsm", samples=4)
robbench.evaluate_samples(Rounded(), "digits", "fgsm", samples=4)
"""


def test_a_warning_names_the_line_that_asked_for_the_evaluation(tmp_path):
    (tmp_path / "mine.py").write_text(ZERO_GRADIENT)
    # By itself: what checks types in tests stands between the caller and what is called.
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [line.partition(" ")[0] for line in done.stderr.splitlines() if "RobustnessWarning" in line] == [
        f"{tmp_path / 'mine.py'}:{number}:" for number in (5, 6)
    ]


@pytest.mark.parametrize("attack", ["apgd5@torchattacks", "fab5", "fmn5", "deepfool5", "autoattack5"])
def test_an_attack_follows_no_view_that_answers_otherwise(linear, attack):
    # On the clean images all three answer alike.
    model, images, labels = linear[0], (linear[1] * 16).round() / 16, linear[2]
    straight, substitute = (
        robbench.Defense(Rounded(model), views={"bpda": view}) for view in (Rounded(model, True), model)
    )
    data, grid = (images[:8], labels[:8]), [0, 0.05]
    assert len(robbench.evaluate(straight, data, f"{attack}:view=bpda", grid)) == 2
    with pytest.raises(UserError, match="'bpda' that model brings along does not answer"):
        robbench.evaluate(substitute, data, f"{attack}:view=bpda", grid)
    assert len(robbench.evaluate(substitute, data, "pgd5:view=bpda", grid)) == 2


class Flickering(nn.Module):
    """Answers as its model does, and every other time without a gradient."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        shows = torch.rand(len(images), 1, 1, 1) < 0.5
        return self.model(torch.where(shows, images, images.detach()))


@pytest.mark.parametrize("sweep", ["survivors", "search", "independent"])
def test_a_gradient_that_is_missing_now_and_then_ends_no_attempt(linear, sweep):
    model, images, labels = linear
    asked = {
        "data": (images, labels),
        "attacks": ["pgd40:relative_step=1/4"],
        "eps_grid": "0:0.08:5",
        "sweep": sweep,
    }
    steady, flickering = (robbench.evaluate(each, **asked) for each in (model, Flickering(model)))
    assert flickering.robust_accuracy.tolist() == steady.robust_accuracy.tolist()


def test_outcomes_on_request(linear):
    model, images, labels = linear
    found = robbench.evaluate_samples(model, (images.numpy(), labels.numpy()), ["pgd5", "bpda5"], "0,0.05")
    assert len(found.outcomes) == 2 * 60
    assert found.outcomes.job_id.nunique() == 1  # no layer to approximate, so bpda is pgd
    assert found.curves.attack.unique().tolist() == ["pgd5", "bpda5"]


def test_the_model_is_left_as_it_was(linear):
    model, images, labels = linear
    weight, bias = model.layer.weight, model.layer.bias
    model = nn.Sequential(model, nn.Dropout(0.0)).train()
    bias.requires_grad_(False)
    weight.grad = torch.ones_like(weight)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    robbench.evaluate(model, (images, labels), ["pgd5", "fgsm@foolbox", "square:queries=5"], [0, 0.05])
    assert model.training
    assert (weight.requires_grad, bias.requires_grad) == (True, False)
    assert weight.grad is not None
    assert (weight.grad == 1).all()
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


class Forgetful(nn.Module):
    """Answers rightly four times of five, and else anything but that, whatever the image."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.model(images)
        return torch.where(torch.rand(len(images), 1) < 0.2, -logits, logits)


def test_lucky_draws_of_a_randomized_model_do_not_count(linear):
    model, images, labels = linear
    forgetful, attacks, grid = Forgetful(model), ["pgd20", "noise"], [0, 1e-4]
    mean = robbench.evaluate(forgetful, (images, labels), attacks, grid)
    with pytest.warns(robbench.RobustnessWarning, match="any lucky draw of an attack counts"):
        single = robbench.evaluate(forgetful, (images, labels), attacks, grid, draws=1)
    assert (mean["robust_accuracy"].to_numpy() > 0.85).all()
    assert (single.loc[single["epsilon"] > 0, "robust_accuracy"].to_numpy() < 0.6).all()
    for curves in (mean, single):
        clean = curves.loc[(curves["epsilon"] == 0) & (curves["attack"] != "worst-of"), "n_correct"]
        assert clean.nunique() == 1, "the unperturbed images are drawn for alike under every attack"


def test_a_registered_dataset_and_its_own_grid():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    for grid in ("canonical", True):
        curves = robbench.evaluate(model, "digits", ["fgsm"], grid, samples=30)
        assert len(curves) == 13
        assert (curves.n == 30).all()


def test_transfer_from_a_shipped_model():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    found = robbench.evaluate_samples(model, "digits", ["transfer5:source=natural"], [0, 0.2], samples=20)
    assert found.outcomes.view.unique().tolist() == ["transfer:natural"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attacks": ["pgdd"]}, "'pgdd'"),
        ({"eps_grid": ""}, "standard radii"),
        ({"eps_grid": [0, 8]}, "above 1"),
        ({"eps_grid": []}, "grid is empty"),
        ({"data": ([0], [1], [2])}, "pair of images and labels"),
        ({"sample": 3}, "'sample'"),
        ({"data": (np.zeros((3, 8, 8)), np.zeros(3, int))}, "axes"),
        ({"data": (np.full((3, 1, 8, 8), 255.0), np.zeros(3, int))}, "0, 1"),
        ({"device": "warp"}, "'warp'"),
        ({"attacks": []}, "No attack"),
    ],
)
def test_bad_input(linear, change, message):
    model, images, labels = linear
    arguments = {"data": (images, labels), "attacks": ["pgd5"], "eps_grid": [0, 0.05], **change}
    with pytest.raises(UserError, match=message):
        robbench.evaluate(model, **arguments)


def test_a_model_that_fails_in_bfloat16_is_refused_before_the_attacks():
    asked = {"data": "digits", "eps_grid": [0, 0.1], "samples": 8}
    with pytest.raises(UserError, match=r"raised .* in bfloat16, in which attacks would take") as caught:
        robbench.evaluate(Scattering(), attacks=["pgd2"], precision="bfloat16", **asked)
    assert "--precision float32" in caught.value.hint
    assert len(robbench.evaluate(Scattering(), attacks=["pgd2"], precision="float32", **asked)) == 2
    # A library, and what follows no gradient, asks in float32 in any case.
    for attack in ("fgsm@foolbox", "noise3"):
        assert len(robbench.evaluate(Scattering(), attacks=[attack], precision="bfloat16", **asked)) == 2


class Flattening(nn.Module):
    """Flattens by ``view``, as many a network does, and answers in ``dtype``."""

    def __init__(self, channels=1, dtype=torch.float32):
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, 6, 3), nn.Linear(6 * 36, 10)
        self.dtype = dtype

    def train(self, mode=True):  # pyright: ignore[reportIncompatibleMethodOverride]
        super().train(mode)  # and returns nothing, as who overrides it often forgets

    def forward(self, images):
        features = self.first(images).relu()
        return self.last(features.view(len(images), -1)).to(self.dtype)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("attack", ["pgd3", "bpda3", "pgd3@torchattacks"])
def test_a_network_that_flattens_by_view_is_measured(channels, attack):
    torch.manual_seed(0)
    data = torch.rand(6, channels, 8, 8), torch.arange(6)
    curves = robbench.evaluate(Flattening(channels), data, [attack], [0, 0.1])
    assert len(curves) == 2


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize(
    "attack",
    ["pgd3", "pgd3@art", "square:queries=9", "square@art:queries=9", "fab3", "autoattack3:queries=9"],
)
def test_logits_may_be_of_any_precision(dtype, attack):
    torch.manual_seed(0)
    curves = robbench.evaluate(Flattening(dtype=dtype), "digits", [attack], [0, 0.1], samples=6)
    assert len(curves) == 2


def test_a_file_may_be_the_source_of_a_transfer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Mine.py").write_text(
        "import robbench\n\n\ndef Build(dataset):\n    return robbench.pretrained('natural', dataset)\n"
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    by_file, by_name = (
        robbench.evaluate_samples(model, "digits", f"transfer5:source={source}", [0, 0.2], samples=20)
        for source in ("Mine.py:Build", "natural")
    )
    flags = [np.stack(found.outcomes.broken.tolist()) for found in (by_file, by_name)]
    assert (flags[0] == flags[1]).all()


def test_attacks_radii_and_places_are_taken_as_they_are_at_hand(linear, tmp_path):
    model, images, labels = linear
    curves = robbench.evaluate(model, [images, labels], "pgd2,fgsm", ["0", "4/255"], models_dir=str(tmp_path))
    assert sorted(set(curves.epsilon)) == [0, 4 / 255]
    assert set(curves.attack) == {"pgd2", "fgsm", "worst-of"}
    assert set(robbench.evaluate(model, (images, labels), "fgsm", 0.1).epsilon) == {0, 0.1}
    options: dict[str, Any] = {"eps_grid": np.float32(0.1), "samples": np.int64(5)}
    assert len(robbench.evaluate(model, (images, labels), "fgsm", **options)) == 2


def test_none_stands_for_the_default(linear):
    model, images, labels = linear
    nothing: dict[str, Any] = dict.fromkeys(EvaluationOptions.__annotations__)
    found, plain = (
        robbench.evaluate(model, (images, labels), "fgsm", 0.1, **options) for options in (nothing, {})
    )
    pd.testing.assert_frame_equal(found, plain)
    ten = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    everything = robbench.evaluate(ten, "digits", None, None, samples=4)
    assert everything.attack.unique().tolist() == ["pgd100"]
    assert everything.epsilon.tolist() == [0, 0.3]


@pytest.mark.parametrize(
    "grid", [np.array([0, 0.1]), torch.tensor([0, 0.1], dtype=torch.float64), np.array(0.1)]
)
def test_a_grid_may_be_an_array(linear, grid):
    model, images, labels = linear
    assert robbench.evaluate(model, (images, labels), "fgsm", grid).epsilon.tolist() == [0, 0.1]


_NO_TEXT_OR_NUMBER = """
import robbench, torch
for options in [
    {"attacks": [1]}, {"attacks": 1}, {"name": 3}, {"sweep": 3}, {"eps_grid": [0, None]}, {"eps_grid": [0.1j]}
]:
    try:
        robbench.evaluate(torch.nn.Flatten(), "digits", **options)
    except robbench.UserError as error:
        print(error.message)
"""


def test_what_is_no_text_and_no_number_is_refused():
    # In a process of its own: in this one all types are checked.
    done = subprocess.run(
        [sys.executable, "-c", _NO_TEXT_OR_NUMBER], check=False, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "An attack is a name, not 1.",
        "An attack is a name, not 1.",
        "name is text, not 3.",
        "sweep is text, not 3.",
        "A grid is one list of radii, and None is no radius.",
        "A grid is one list of radii, and 0.1j is no radius.",
    ]


def test_a_function_is_no_model():
    # In a process of its own: in this one all types are checked.
    code = "import robbench; robbench.evaluate(lambda images: images.flatten(1), 'digits', 'fgsm')"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "UserError: A model is a torch.nn.Module or a robbench.Defense, not function." in done.stderr


def test_a_model_on_a_device_that_robbench_does_not_know_is_set_aside(linear, monkeypatch):
    model, images, labels = linear
    unknown, homes = torch.device("meta"), []
    monkeypatch.setattr("robbench.evaluation._device_of", lambda _: unknown)
    monkeypatch.setattr(type(model), "to", lambda self, device: homes.append(str(device)) or self)
    assert len(robbench.evaluate(model, (images, labels), "fgsm", [0, 0.1])) == 2
    assert set(homes[:-1]) == {"cpu"}
    assert homes[-1] == "meta"


def test_importing_robbench_is_light():
    code = "import sys, robbench; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sweep": "survivor"}, "survivor"),
        ({"criterion": "top3"}, "top3"),
        ({"norm": "l3"}, "l3"),
        ({"samples": 0}, "at least 1"),
        ({"samples": -5}, "at least 1"),
        ({"samples": 61}, "has 60 samples"),
        ({"name": "natural", "attacks": ["transfer2:source=natural"]}, "another name"),
        ({"samples": 2.5}, "samples is a whole number, not 2.5"),
        ({"sample": None}, "'sample'"),
        ({"eps_grid": [0, True]}, "True is no radius"),
        ({"eps_grid": np.array([False, True])}, "False is no radius"),
        ({"eps_grid": np.zeros((2, 2))}, r"\[0.0, 0.0\] is no radius"),
    ],
)
def test_what_cannot_be_is_refused_before_any_attack(linear, options, words):
    model, images, labels = linear
    given = {"attacks": ["pgd2"], "eps_grid": [0, 0.05], **options}
    with pytest.raises(UserError, match=words):
        robbench.evaluate(model, (images, labels), **given)


def test_attacks_know_every_class_that_the_model_knows():
    torch.manual_seed(0)
    images, labels = torch.rand(4, 1, 4, 4), torch.tensor([0, 1, 0, 1])
    ten, two = (nn.Sequential(nn.Flatten(), nn.Linear(16, count)) for count in (10, 2))
    # The DLR loss needs four classes, of which these samples have two.
    dlr = {"attacks": ["apgd2-dlr@torchattacks"], "eps_grid": [0, 0.01]}
    assert len(robbench.evaluate(ten, (images, labels), **dlr)) == 2
    with pytest.raises(UserError, match="classes"):
        robbench.evaluate(two, (images, labels), **dlr)
