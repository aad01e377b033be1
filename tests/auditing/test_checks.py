"""Every check fails on a made-up defense that trips it alone; a clean one trips none."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from robbench.auditing import checks
from robbench.auditing.probing import probe
from robbench.auditing.summary import verdict
from robbench.defenses import Defense
from tests.auditing.landscapes import (
    BRIGHT,
    DARK,
    PIXELS,
    RADIUS,
    Landscape,
    findings_of,
    honest,
    inwards,
    prepared_audit,
)

CORNER = RADIUS - 0.001
PATTERN = torch.tensor([1, 1, -1, 1, -1, -1, 1, -1, 1, -1, -1, 1, 1, -1, 1]).float()
"""A corner of the ball that no stripes or squares make up."""


class Patterned(nn.Module):
    """A linear classifier whose gradient leads to :data:`PATTERN`'s corner."""

    def forward(self, images: Tensor) -> Tensor:
        score = images.flatten(1)[:, :PIXELS] @ PATTERN
        return torch.stack([-score, score], dim=1)


class StraightThrough(nn.Module):
    """One model's logits with another's gradient."""

    def __init__(self, exact: nn.Module, gradient: nn.Module) -> None:
        super().__init__()
        self.exact, self.gradient = exact, gradient

    def forward(self, images: Tensor) -> Tensor:
        stand_in = self.gradient(images)
        return self.exact(images).detach() + (stand_in - stand_in.detach())


class OneSided(nn.Module):
    """Dark images break honestly; from bright ones every gradient leads back."""

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.flatten(1)[:, :PIXELS]
        mean = pixels.mean(1)
        bright = 1 + 5 * (pixels - BRIGHT).abs().mean(1)
        dark = -20 * (0.38 - mean)
        margin = torch.where(mean > 0.38, bright, dark)
        return torch.stack([-margin / 2, margin / 2], dim=1)


class Random(nn.Module):
    """An honest classifier whose logits jitter."""

    def __init__(self) -> None:
        super().__init__()
        self.honest = Landscape(honest)

    def forward(self, images: Tensor) -> Tensor:
        logits = self.honest(images)
        return logits + 0.02 * torch.randn_like(logits)


def near_corner(moves: Tensor, pattern: Tensor | float) -> Tensor:
    """Whether every pixel has moved as far as it may in a pattern's direction."""
    return (moves * pattern >= CORNER).all(1)


def one_step(moves: Tensor) -> Tensor:
    """From the image itself the gradient leads straight to the corner; from elsewhere, back to the image."""
    close = moves.detach().abs().amax(1) < 0.02
    margin = torch.where(close, 1 - 5 * moves.mean(1), inwards(moves))
    return torch.where(near_corner(moves, 1.0), -1.0, margin)


def black_box(moves: Tensor) -> Tensor:
    """The corner away from the other class, where no gradient leads and Square looks at once."""
    return torch.where(near_corner(moves, -1.0), -1.0, one_step_decoy(moves))


def one_step_decoy(moves: Tensor) -> Tensor:
    close = moves.detach().abs().amax(1) < 0.02
    return torch.where(close, 1 - 5 * moves.mean(1), inwards(moves))


def patterned(moves: Tensor) -> Tensor:
    """A corner that only somebody else's gradient leads to."""
    hit = near_corner(moves, PATTERN) | near_corner(moves, -PATTERN)
    return torch.where(hit, -1.0, one_step_decoy(moves))


def noise(moves: Tensor) -> Tensor:
    """A sliver of the inside, along a pixel in which nothing slopes."""
    sliver = (moves[:, 0] > 0.05) & (moves[:, 0] < 0.0506)
    return torch.where(sliver, -1.0, inwards(moves[:, 1:]))


def narrow(at: float, width: float) -> nn.Module:
    """A hole so narrow that only steps of less than its width end in it."""

    def surface(moves: Tensor) -> Tensor:
        off = (moves - at).abs()
        return torch.where(off.amax(1) <= width, -1 + 5 * off.mean(1), 1 + 5 * off.mean(1))

    return Landscape(surface)


def more_restarts(moves: Tensor) -> Tensor:
    """Only from a sixth of the starts does the gradient lead to the hole."""
    rest = moves[:, 1:]
    off = (rest - 0.04).abs()
    hole = torch.where(off.amax(1) <= 0.0065, -1 + 5 * off.mean(1), 1 + 5 * off.mean(1))
    return torch.where(moves[:, 0] > 0.07, hole, inwards(rest))


def flat(moves: Tensor) -> Tensor:
    """No slope at all."""
    return torch.ones_like(moves[:, 0])


def shattered(moves: Tensor) -> Tensor:
    """Ripples much shorter than a step."""
    return 1 + 0.1 * torch.sin(3000 * moves).mean(1)


def shell(moves: Tensor) -> Tensor:
    """Adversarial half way, and not at the end."""
    mean = moves.mean(1)
    return torch.where((mean - 0.05).abs() < 0.004, -1 - 5 * mean, 1 - 5 * mean)


def slow(moves: Tensor) -> Tensor:
    """The pixel that lags behind decides, and a step moves it alone."""
    return 1 - 5 * moves.amin(1)


def fooled(moves: Tensor) -> Tensor:
    """A stand-in that breaks where the defense does not."""
    return 20 * (0.05 - moves.mean(1))


def brightness() -> nn.Module:
    """The other trained network: honest."""
    return Landscape(honest)


ALONE: dict[str, Callable[[], Defense]] = {
    "one-step": lambda: Defense(Landscape(one_step)),
    "black-box": lambda: Defense(Landscape(black_box)),
    "transfer": lambda: Defense(Landscape(patterned)),
    "stand-in": lambda: Defense(
        Landscape(patterned), views={"bpda": StraightThrough(Landscape(patterned), Patterned())}
    ),
    "noise": lambda: Defense(Landscape(noise)),
    "large-epsilon": lambda: Defense(Landscape(inwards, reach=0.52)),
    "unconstrained": lambda: Defense(OneSided()),
    "more-steps": lambda: Defense(narrow(0.04, 0.0016)),
    "more-restarts": lambda: Defense(Landscape(more_restarts)),
    "unavailable-gradients": lambda: Defense(Landscape(flat)),
    "unstable-gradients": lambda: Defense(Landscape(shattered)),
    "silent-success": lambda: Defense(Landscape(shell)),
    "incomplete-optimization": lambda: Defense(Landscape(slow)),
    "transfer-failure": lambda: Defense(Landscape(honest), views={"substitute": Landscape(fooled)}),
    "non-monotone": lambda: Defense(narrow(0.03, 0.0033)),
    "randomness": lambda: Defense(Random()),
}
"""By the check, a defense that fails it and no other."""


@pytest.mark.parametrize("name", ALONE)
def test_a_check_fails_alone(name):
    sources = {"natural": Patterned() if name == "transfer" else brightness()}
    grid = "0.05,0.1" if name == "non-monotone" else "0.1"
    findings = findings_of(prepared_audit(ALONE[name](), sources, grid))
    assert [check.name for check, finding in findings if finding.verdict == "fail"] == [name]
    assert findings[0][1].advice


def test_every_check_has_a_defense_that_fails_it():
    assert set(ALONE) == set(checks.names())


def test_a_clean_defense_passes_every_check():
    stand_in = Landscape(lambda moves: 20 * (0.05 - moves.mean(1)))
    defense = Defense(stand_in, views={"substitute": Landscape(lambda moves: 20 * (0.06 - moves.mean(1)))})
    findings = findings_of(prepared_audit(defense, {"natural": brightness(), "pgd-at": brightness()}))
    assert {finding.verdict for _, finding in findings} == {"pass"}
    assert verdict(findings) == "no sign of masked gradients — 16 of 16 checks pass"


def test_who_knows_one_class_only_has_nothing_that_pgd_could_miss():
    biased = Landscape(lambda moves: 0.1 * honest(moves))
    biased.forward = lambda images: Landscape.forward(biased, images) + torch.tensor([100.0, 0.0])
    findings = {check.name: finding for check, finding in findings_of(prepared_audit(Defense(biased)))}
    assert findings["unconstrained"].verdict == "inconclusive"
    assert "samples of one class only right, 32 of them" in findings["unconstrained"].reason


def test_the_images_are_where_the_surfaces_are_drawn():
    assert DARK + 2 * RADIUS < 0.5 < BRIGHT - 2 * RADIUS


def test_of_logits_that_become_infinite_there_is_no_mean_loss():
    prepared = prepared_audit(Defense(Landscape(lambda moves: honest(moves) / (moves.amax(1) <= 0))))
    assert all(map(math.isfinite, probe(prepared.subject, prepared.sweep.workplace).loss_curve))
