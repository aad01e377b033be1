"""Without a random start, robbench, torchattacks, foolbox and ART take the same steps."""

import pytest
import torch

from robbench.attacks import BudgetAttack
from robbench.attacks.gradient import FGSM, PGD
from robbench.tensors import Images
from robbench.threat import Ball, get_norm
from tests.attacks.problems import library_attack, problem
from tests.oracles import SmoothNet

STEPS = 10
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def net() -> SmoothNet:
    return SmoothNet(channels=3).eval()


@pytest.fixture(scope="module")
def images() -> Images:
    # Many pixels lie on the box, where clipping orders would differ.
    drawn = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return (drawn * 1.4 - 0.2).clamp(0, 1)


def native_iterates(attack: PGD | FGSM, net: SmoothNet, ball: Ball, labels: torch.Tensor) -> list[Images]:
    """Every iterate of a native attack, its start first."""
    keys = torch.zeros(len(labels), dtype=torch.int64)
    iterates = [attack.start(ball, keys)]
    for _ in range(attack.steps or 0):
        point = iterates[-1].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(attack.objective(net(point), labels).sum(), point)
        iterates.append(attack.move(point.detach(), gradient, ball, keys))
    return iterates


def cases() -> list[tuple[str, str, str]]:
    return [
        ("torchattacks", "linf", "ce"),
        *(
            (backend, norm, loss)
            for backend in ("foolbox", "art")
            for norm in ("linf", "l2")
            for loss in ("ce", "cw")
        ),
    ]


@pytest.mark.parametrize(("backend", "norm", "loss"), cases())
@pytest.mark.parametrize("relative_step", [None, 0.1])
def test_pgd_takes_the_same_steps(backend, norm, loss, relative_step, net, images) -> None:
    if (backend, norm) == ("art", "l2"):
        images = 0.3 + 0.4 * images  # ART clips to the box before the ball: equal where the box does not bind
    labels = net(images).argmax(1).detach()
    epsilon = 0.1 if norm == "linf" else 0.8
    ball = Ball(images, torch.full((len(images),), epsilon), get_norm(norm))
    # The share is spelled out so that a run of k steps is the first k of a longer one.
    share = relative_step or 2.5 / STEPS
    parameters = {"loss": loss, "relative_step": share, "random_start": False}
    iterates = native_iterates(PGD(steps=STEPS, **parameters), net, ball, labels)
    for steps in range(1, STEPS + 1):
        attack = library_attack(f"pgd@{backend}", steps=steps, **parameters)
        points = attack.perturb(problem(net, images, labels, epsilon, norm))
        assert (points - iterates[steps]).abs().max() <= TOLERANCE
    assert (iterates[-1] - images).abs().max() > 0.05


@pytest.mark.parametrize(("backend", "norm", "loss"), [case for case in cases() if case[0] != "art"])
def test_fgsm_takes_the_same_step(backend, norm, loss, net, images) -> None:
    labels = net(images).argmax(1).detach()
    radii = torch.linspace(0.02, 0.3, len(images))
    parameters = {"loss": loss}
    _, expected = native_iterates(FGSM(**parameters), net, Ball(images, radii, get_norm(norm)), labels)
    attack = library_attack(f"fgsm@{backend}", **parameters)
    points = attack.perturb(problem(net, images, labels, radii, norm))
    assert (points - expected).abs().max() <= TOLERANCE


@pytest.mark.parametrize("backend", ["torchattacks", "foolbox", "art"])
def test_the_default_step_is_the_same_share_of_epsilon(backend, net, images) -> None:
    labels = net(images).argmax(1).detach()
    ball = Ball(images, torch.full((len(images),), 0.2), get_norm("linf"))
    expected = native_iterates(PGD(steps=7, relative_step=2.5 / 7, random_start=False), net, ball, labels)[-1]
    attack = library_attack(f"pgd@{backend}", steps=7, random_start=False)
    points = attack.perturb(problem(net, images, labels, 0.2))
    assert (points - expected).abs().max() <= TOLERANCE


@pytest.mark.parametrize("backend", ["foolbox", "art"])
def test_the_cw_loss_pushes_on_after_success(backend, net, images) -> None:
    """The gradient of the Madry form lives until another class leads by κ = 50 (pitfall 22)."""
    labels = net(images).argmax(1).detach()
    wrong = (labels + 1) % 5
    attack = library_attack(f"pgd@{backend}", steps=5, loss="cw", random_start=False)
    assert isinstance(attack, BudgetAttack)
    points = attack.perturb(problem(net, images, wrong, 0.1))
    assert (points != images).flatten(1).any(1).all()


@pytest.mark.parametrize("backend", ["torchattacks", "foolbox", "art"])
def test_a_result_does_not_depend_on_the_batch(backend, net, images) -> None:
    """A mean over the batch would shrink gradients and could round them to nothing (pitfall 25)."""
    labels = net(images).argmax(1).detach()
    attack = library_attack(f"pgd@{backend}", random_start=False)
    together = attack.perturb(problem(net, images, labels, 0.1))
    alone = attack.perturb(problem(net, images[5:6], labels[5:6], 0.1))
    assert (together[5:6] - alone).abs().max() <= TOLERANCE
