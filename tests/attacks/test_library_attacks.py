"""The contract of every registered library attack: what comes back, and what is left as it was."""

import logging
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from robbench.attacks import BudgetAttack, MinimumNormAttack, attacks
from robbench.errors import UserError
from robbench.threat import per_image
from tests.attacks.problems import library_attack, library_names, problem
from tests.oracles import ConstantModel, RoughAtBlack, SmoothNet, critical_epsilon, linear_oracle

BUDGET = library_names(BudgetAttack)
MINIMUM = library_names(MinimumNormAttack)
RADIUS = {"linf": 0.08, "l2": 0.5}


def every(names: list[str]) -> list[Any]:
    """Each attack with each of its norms."""
    return [pytest.param(n, norm, id=f"{n}-{norm}") for n in names for norm in attacks.get(n).norms]


def losses(name: str) -> tuple[str, ...]:
    return attacks.get(name).losses or ("",)


def _numpy_state() -> Any:
    state: Any = np.random.get_state()
    return state[1].copy()


@pytest.fixture
def net() -> SmoothNet:
    return SmoothNet(channels=3).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(3)).round(decimals=1)


@pytest.fixture
def labels(net: SmoothNet, images: torch.Tensor) -> torch.Tensor:
    return net(images).argmax(1).detach()


def test_the_adapters_are_registered() -> None:
    assert set(BUDGET) == {
        "autoattack@pyautoattack",
        *(f"{name}@torchattacks" for name in ("fgsm", "pgd", "apgd", "square", "autoattack")),
        *(f"{name}@foolbox" for name in ("fgsm", "pgd", "noise")),
        *(f"{name}@art" for name in ("pgd", "apgd", "square")),
    }
    assert set(MINIMUM) == {"fab@torchattacks", "deepfool@foolbox", "fmn@foolbox", "hopskipjump@art"}


@pytest.mark.parametrize(("name", "norm"), every(BUDGET + MINIMUM))
def test_returns_float32_images_in_the_box_and_within_the_radius(name, norm, net, images, labels) -> None:
    given = problem(net, images, labels, RADIUS[norm], norm)
    points = library_attack(name).perturb(given)
    assert points.shape == images.shape
    assert points.dtype == torch.float32
    assert not points.requires_grad
    if name in BUDGET:
        assert given.ball.within(points).all()
    else:
        assert points.min() >= -1e-6
        assert points.max() <= 1 + 1e-6


@pytest.mark.parametrize(("name", "norm"), every(BUDGET + MINIMUM))
def test_the_same_seed_gives_the_same_images(name, norm, net, images, labels) -> None:
    attack = library_attack(name)
    torch.manual_seed(1)
    first = attack.perturb(problem(net, images, labels, RADIUS[norm], norm))
    torch.manual_seed(2)
    assert torch.equal(first, attack.perturb(problem(net, images, labels, RADIUS[norm], norm)))


@pytest.mark.parametrize("name", ["pgd@torchattacks", "pgd@foolbox", "pgd@art", "hopskipjump@art"])
def test_another_seed_gives_other_images(name, net, images, labels) -> None:
    attack = library_attack(name)
    first = attack.perturb(problem(net, images, labels, 0.08, seed=1))
    assert not torch.equal(first, attack.perturb(problem(net, images, labels, 0.08, seed=2)))


@pytest.mark.parametrize("name", BUDGET + MINIMUM)
def test_leaves_everything_as_it_was(name, images, labels) -> None:
    net = SmoothNet(channels=3).train()
    net.norm.eval()  # a frozen BatchNorm inside a model in training
    net.conv.weight.grad = torch.ones_like(net.conv.weight)
    net.head.bias.requires_grad_(False)
    given = problem(net, images, labels, 0.08)
    net.train()
    net.norm.eval()
    weights = {key: value.clone() for key, value in net.state_dict().items()}
    kept_images, kept_labels = images.clone(), labels.clone()
    state = (torch.get_rng_state(), _numpy_state(), random.getstate())
    handlers = logging.getLogger().handlers[:]

    library_attack(name).perturb(given)

    assert net.training
    assert net.conv.training
    assert not net.norm.training
    assert net.conv.weight.requires_grad
    assert not net.head.bias.requires_grad
    assert net.conv.weight.grad is not None
    assert torch.equal(net.conv.weight.grad, torch.ones_like(net.conv.weight))
    assert net.head.weight.grad is None
    assert all(torch.equal(value, weights[key]) for key, value in net.state_dict().items())
    assert torch.equal(images, kept_images)
    assert torch.equal(labels, kept_labels)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.array_equal(_numpy_state(), state[1])
    assert random.getstate() == state[2]
    assert logging.getLogger().handlers == handlers


class _Failing(SmoothNet):
    """Fails in the middle of an attack."""

    calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls > 2:
            raise ArithmeticError("out of order")
        return super().forward(images)


@pytest.mark.parametrize("name", BUDGET + MINIMUM)
def test_leaves_everything_as_it_was_when_the_model_raises(name, images, labels) -> None:
    net = _Failing(channels=3)
    given = problem(net, images, labels, 0.001)
    net.train()
    state = torch.get_rng_state()
    if name.startswith("fgsm"):
        net.calls = 2
    with pytest.raises(ArithmeticError, match="out of order"):
        library_attack(name).perturb(given)
    assert net.training
    assert net.conv.weight.requires_grad
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", BUDGET + MINIMUM)
@pytest.mark.parametrize("count", [1, 3])
def test_works_on_one_sample_and_on_an_odd_batch(name, count, net, images, labels) -> None:
    points = library_attack(name).perturb(problem(net, images[:count], labels[:count], 0.08))
    assert points.shape == images[:count].shape


@pytest.mark.parametrize("name", BUDGET + MINIMUM)
def test_works_on_channels_last_images_under_no_grad(name, net, images, labels) -> None:
    given = problem(net.to(memory_format=torch.channels_last), images, labels, 0.08)
    flipped = problem(net, images.to(memory_format=torch.channels_last), labels, 0.08)
    with torch.no_grad():
        torch.testing.assert_close(library_attack(name).perturb(given), library_attack(name).perturb(flipped))


@pytest.mark.parametrize(
    ("name", "norm"), every([n for n in BUDGET if getattr(attacks.get(n), "per_sample_epsilon", False)])
)
def test_respects_each_sample_own_radius(name, norm, net, images, labels) -> None:
    radii = torch.tensor([0.01, 0.02, 0.05, 0.1, 0.2]) * (6 if norm == "l2" else 1)
    for loss in losses(name):
        attack = library_attack(name, **({"loss": loss} if loss else {}))
        given = problem(net, images, labels, radii, norm)
        points = attack.perturb(given)
        assert given.ball.within(points).all()
        moved = given.ball.norm.distance(points, images)
        if attack.uses_gradient and norm == "linf":
            torch.testing.assert_close(moved, radii)
        if attack.uses_gradient and "random_start" not in vars(attack) and name != "apgd@torchattacks":
            alone = [
                attack.perturb(problem(net, images[i : i + 1], labels[i : i + 1], float(radii[i]), norm))
                for i in range(len(radii))
            ]
            torch.testing.assert_close(points, torch.cat(alone), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "name", [n for n in BUDGET if not getattr(attacks.get(n), "per_sample_epsilon", False)]
)
def test_refuses_radii_that_it_would_confuse(name, net, images, labels) -> None:
    with pytest.raises(ValueError, match=r"radii from 0\.1 to 0\.2"):
        library_attack(name).perturb(problem(net, images, labels, torch.tensor([0.1, 0.1, 0.2, 0.1, 0.1])))


@pytest.mark.parametrize("name", BUDGET + MINIMUM)
def test_never_breaks_a_constant_model(name) -> None:
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.ones(3, dtype=torch.int64)
    model = ConstantModel()
    points = library_attack(name).perturb(problem(model, images, labels, 0.3, classes=4))
    given = problem(model, images, labels, 0.3, classes=4)
    # A minimum over nothing may be undefined; the harness judges that as no success.
    defined = torch.where(points.isnan(), images, points)
    assert (model(given.ball.project(defined)).argmax(1) == 1).all()


@pytest.mark.parametrize(
    ("name", "norm"), every([n for n in BUDGET + MINIMUM if attacks.get(n).uses_gradient])
)
@pytest.mark.parametrize(
    "function",
    [
        pytest.param(torch.sqrt, id="infinite"),
        pytest.param(lambda images: images + 0 * images.sqrt(), id="undefined"),
    ],
)
def test_a_pixel_without_a_slope_does_not_keep_an_attack_from_the_others(name, norm, function) -> None:
    model, images, _ = linear_oracle(low=0.35, high=0.65)
    images[:, :, ::2, ::2] = 0
    rough = RoughAtBlack(model, function)
    given = problem(rough, images, rough(images).argmax(1), 0.6 if norm == "linf" else 4.0, norm, classes=2)
    points = library_attack(name).perturb(given)
    assert (rough(given.ball.project(points)).argmax(1) != given.labels).all()


@pytest.mark.parametrize(
    "name", ["fgsm@torchattacks", "pgd@torchattacks", "fgsm@foolbox", "pgd@foolbox", "pgd@art"]
)
@pytest.mark.parametrize("seed", range(3))
def test_finds_the_critical_epsilon_of_a_linear_model(name, seed) -> None:
    model, images, labels = linear_oracle(seed=seed)
    critical = critical_epsilon(model, images, labels, "linf").float()
    for loss in losses(name):
        attack = library_attack(name, **({"loss": loss} if loss else {}))
        for epsilon in critical.tolist():
            for factor in (0.99, 1.01):
                points = attack.perturb(problem(model, images, labels, factor * epsilon, classes=2))
                broken = model(points).argmax(1) != labels
                assert torch.equal(broken, critical < factor * epsilon)


@pytest.mark.parametrize("name", ["fgsm@foolbox", "pgd@foolbox", "pgd@art", "apgd@torchattacks", "apgd@art"])
def test_finds_the_critical_epsilon_of_a_linear_model_in_l2(name) -> None:
    # Away from the box: projecting onto the ball and then the box is not the nearest point of both.
    model, images, labels = linear_oracle(low=0.35, high=0.65)
    critical = critical_epsilon(model, images, labels, "l2").float()
    attack = library_attack(
        name, **({"random_start": False} if "pgd@" in name and "apgd" not in name else {})
    )
    for epsilon in critical.tolist():
        for factor in (0.99, 1.01):
            points = attack.perturb(problem(model, images, labels, factor * epsilon, "l2", classes=2))
            assert torch.equal(model(points).argmax(1) != labels, critical < factor * epsilon)


@pytest.mark.parametrize(
    "name",
    [
        *("apgd@torchattacks", "apgd@art", "square@torchattacks", "square@art"),
        *("autoattack@torchattacks", "autoattack@pyautoattack"),
    ],
)
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_strong_attacks_come_near_the_critical_epsilon(name, classes) -> None:
    model, images, labels = linear_oracle(classes=classes, count=16)
    critical = critical_epsilon(model, images, labels, "linf").float()
    attack = library_attack(name, **({"queries": 400} if "square" in name else {}))
    # Cross-entropy climbs towards several classes at once, not straight to the nearest.
    reach = {"square": 3, "apgd": 2}.get(name.partition("@")[0], 1.02)
    for i in range(0, len(images), 5):
        one = (images[i : i + 1], labels[i : i + 1])
        above = attack.perturb(problem(model, *one, reach * float(critical[i]), classes=classes))
        below = attack.perturb(problem(model, *one, 0.99 * float(critical[i]), classes=classes))
        assert model(above).argmax(1) != one[1]
        assert model(below).argmax(1) == one[1]


@pytest.mark.parametrize(("name", "norm"), every(MINIMUM))
@pytest.mark.parametrize("box_binds", [True, False])
def test_minimum_norm_attacks_come_near_the_optimum(name, norm, box_binds) -> None:
    low, high = (0.0, 1.0) if box_binds else (0.35, 0.65)
    slow = name == "hopskipjump@art"
    model, images, labels = linear_oracle(count=4 if slow else 12, low=low, high=high)
    critical = critical_epsilon(model, images, labels, norm).float()
    given = problem(model, images, labels, 1.0 if norm == "linf" else 8.0, norm, classes=2)
    points = library_attack(name, **({"steps": 30} if slow else {})).perturb(given)
    assert (model(points).argmax(1) != labels).all()
    assert (given.ball.norm.distance(points, images) <= 1.25 * critical).all()
    assert (given.ball.norm.distance(points, images) >= 0.999 * critical).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_hopskipjump_ends_at_the_boundary(norm) -> None:
    """ART ends with a step away from it, 1.2 times as far."""
    model, images, labels = linear_oracle(count=4, low=0.35, high=0.65)
    critical = critical_epsilon(model, images, labels, norm).float()
    given = problem(model, images, labels, 1.0, norm, classes=2)
    points = library_attack("hopskipjump@art", steps=20).perturb(given)
    assert (model(points).argmax(1) != labels).all()
    assert (given.ball.norm.distance(points, images) <= 1.05 * critical).all()


@pytest.mark.parametrize("name", BUDGET + MINIMUM)
def test_takes_a_model_without_parameters_silently(name, capfd) -> None:
    class Bare(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            flat = images.flatten(1)
            return torch.stack([flat[:, :32].sum(1), flat[:, 32:].sum(1), -flat.sum(1), -2 * flat.sum(1)], 1)

    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(5))
    library_attack(name).perturb(problem(Bare(), images, Bare()(images).argmax(1), 0.1, classes=4))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["fgsm@foolbox", "pgd@foolbox", "pgd@torchattacks", "pgd@art"])
def test_crosses_the_ball_in_few_steps(name, net, images, labels) -> None:
    attack = library_attack(name, **({"steps": 3} if "pgd" in name else {}))
    given = problem(net, images, labels, 0.3)
    interior = (images >= 0.3) & (images <= 0.7)
    moved = (attack.perturb(given) - images).abs()[interior]
    assert moved.mean() > 0.2
    assert (per_image(given.ball.epsilon) - moved.max() < 1e-4).all()


def test_apgd_of_art_says_that_it_takes_no_probabilities(net, images, labels) -> None:
    given = problem(nn.Sequential(net, nn.Softmax(1)), images, labels, RADIUS["linf"])
    with pytest.raises(UserError, match=r"apgd@art does not take this defense: .* probabilities"):
        library_attack("apgd@art").perturb(given)
