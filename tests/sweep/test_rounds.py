from dataclasses import dataclass

import numpy as np
import pytest
import torch

from robbench.attacks import BudgetAttack, MinimumNormAttack
from robbench.errors import UserError
from tests.oracles import ConstantModel, SmoothNet, linear_oracle
from tests.sweep.sweeping import GRID, sweep
from tests.sweep.test_engine import _exact


@dataclass(frozen=True)
class SignStep(BudgetAttack):
    """One step of length ε: exact on a linear model of two classes."""

    algorithm, backend, paper = "sign", "art", ""
    restarts: int = 1
    overshoot: float = 1.0

    def perturb(self, problem):
        size = self.overshoot * problem.ball.epsilon.view(-1, 1, 1, 1)
        return problem.ball.centers + size * _direction(problem)


@dataclass(frozen=True)
class SignSteps(SignStep):
    """The same, many radii in one call."""

    per_sample_epsilon = True


@dataclass(frozen=True)
class Nearest(MinimumNormAttack):
    """The exact nearest adversarial image of a linear model, found by trying many radii."""

    algorithm, backend, paper = "nearest", "art", ""

    def perturb(self, problem):
        images = problem.ball.centers
        found = images.clone()
        direction = _direction(problem)
        for size in torch.linspace(0.15, 0.0005, 300):
            points = (images + size * direction).clamp(0, 1)
            adversarial = problem.model(points).argmax(1) != problem.labels
            found[adversarial] = points[adversarial]
        return found


def _direction(problem):
    images = problem.ball.centers.requires_grad_()
    loss = torch.nn.functional.cross_entropy(problem.model(images), problem.labels, reduction="sum")
    return torch.autograd.grad(loss, images)[0].sign()


@dataclass(frozen=True)
class Guess(BudgetAttack):
    """A uniform point of the ball, from torch's global generator."""

    algorithm, backend, paper = "guess", "art", ""
    restarts: int = 1

    def perturb(self, problem):
        return (
            problem.ball.centers
            + (2 * torch.rand_like(problem.ball.centers) - 1) * problem.ball.epsilon.max()
        )


@dataclass(frozen=True)
class Returns(BudgetAttack):
    """Returns whatever it is told to make of the images."""

    algorithm, backend, paper = "returns", "art", ""
    what: object = None

    def perturb(self, problem):
        return self.what(problem.ball.centers)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("strategy", ["independent", "survivors", "search"])
@pytest.mark.parametrize("attack", [SignStep(), SignSteps(), SignSteps(restarts=2)], ids=repr)
def test_finds_the_exact_critical_epsilon(attack, strategy):
    model, images, labels = linear_oracle(count=100)
    expected, near = _exact(model, images, labels)
    found = sweep(model, images, labels, attack, strategy=strategy).broken
    assert (found[~near] == expected[~near]).all()


def test_one_run_of_a_minimum_norm_attack_fills_the_curve():
    model, images, labels = linear_oracle(count=60)
    expected, _ = _exact(model, images, labels)
    swept = sweep(model, images, labels, Nearest())
    assert not (swept.broken & ~expected).any()
    assert (swept.broken == expected).mean() > 0.98
    assert (swept.n_forward == 303).all()  # clean, direction, 300 tries, verdict; nothing per ε
    assert (swept.n_backward == 1).all()


def test_passes_of_a_library_are_counted_and_shared_out():
    model, images, labels = linear_oracle(count=50)
    swept = sweep(model, images, labels, SignStep())
    assert swept.n_forward.sum() == pytest.approx(swept.target.counter.forward)
    assert swept.n_backward.sum() == pytest.approx(swept.target.counter.backward)


def test_images_outside_the_ball_are_brought_back_before_they_are_judged():
    model, images, labels = linear_oracle(count=100)
    expected, near = _exact(model, images, labels)
    found = sweep(model, images, labels, SignStep(overshoot=3.0)).broken
    # The step's sign is right, so its projection is the best image of the ball: no more, and no less.
    assert (found[~near] == expected[~near]).all()


def test_an_attack_that_claims_what_is_not_so_is_not_believed():
    images = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.ones(10, dtype=torch.int64)
    for attack in (SignStep(), Nearest(), Guess()):
        assert not sweep(ConstantModel(), images, labels, attack).broken.any()


def test_undefined_images_are_no_success():
    model, images, labels = linear_oracle(count=10)
    undefined = Returns(what=lambda centers: torch.full_like(centers, torch.nan))
    assert not sweep(model, images, labels, undefined).broken.any()


def test_images_of_another_shape_are_refused():
    model, images, labels = linear_oracle(count=10)
    with pytest.raises(UserError, match="shape"):
        sweep(model, images, labels, Returns(what=lambda centers: centers[:3]))


def _numpy_state():
    return np.random.get_state(legacy=False)["state"]["key"].tolist()


def test_random_attacks_repeat_themselves_and_leave_the_callers_generators_alone():
    model = SmoothNet().eval()
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = model(images).argmax(1)
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.random.get_rng_state(), _numpy_state()
    first = sweep(model, images, labels, Guess(restarts=3))
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert before[1] == _numpy_state()
    torch.manual_seed(6)
    second = sweep(model, images, labels, Guess(restarts=3))
    assert first.broken.any()
    assert (first.broken == second.broken).all()
    assert (first.distance == second.distance).all()


def test_restarts_go_on_with_those_that_hold():
    model = SmoothNet().eval()
    images = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = model(images).argmax(1)
    once = sweep(model, images, labels, Guess())
    often = sweep(model, images, labels, Guess(restarts=10))
    assert often.broken.sum() > once.broken.sum()
    assert often.n_forward.max() <= 1 + 2 * 10 * (len(GRID) - 1)
