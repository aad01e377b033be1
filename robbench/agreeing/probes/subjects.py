"""What the probes attack: tiny models and images, and robbench's own attacks made small."""

from typing import Any

import torch
from torch import Tensor, nn

from robbench.attacks import BudgetAttack, Problem, attacks
from robbench.tensors import Images, Labels
from robbench.threat import Ball, get_norm

CLASSES, SIDE = 5, 8


class SmallNet(nn.Module):
    """A small random network without kinks, with a BatchNorm, on 1 x 8 x 8 images."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(1, 6, 3, padding=1)
            self.norm = nn.BatchNorm2d(6)
            self.head = nn.Linear(6 * SIDE * SIDE, CLASSES)
        self.head.weight.data *= 6

    def forward(self, images: Tensor) -> Tensor:
        return self.head(torch.tanh(3 * self.norm(self.conv(images))).flatten(1))


class Brightness(nn.Module):
    """Class 1 where the image's mean is above 0.75: a gray image is broken by going all the way up."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))  # torchattacks reads the device off a parameter

    def forward(self, images: Tensor) -> Tensor:
        bright = 40 * (images.flatten(1).mean(1) - 0.75)
        return torch.stack([torch.zeros_like(bright), bright], 1)


def small_net() -> SmallNet:
    """The network in eval mode; the same weights every time."""
    return SmallNet().eval()


def gray_image() -> tuple[Images, Labels]:
    """One gray image, (1, 1, 8, 8), of class 0."""
    return torch.full((1, 1, SIDE, SIDE), 0.5), torch.zeros(1, dtype=torch.int64)


def some_images(count: int = 6) -> Images:
    """Random images in [0, 1], (count, 1, 8, 8)."""
    return torch.rand(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(4))


def predicted(model: nn.Module, images: Images) -> Labels:
    """The classes that a model predicts, to be taken for the truth."""
    with torch.no_grad():
        return model(images).argmax(1)


def problem(
    model: nn.Module, images: Images, labels: Labels, epsilon: float, classes: int = CLASSES
) -> Problem:
    """A problem in linf as the harness would state it."""
    ball = Ball(images, torch.full((len(images),), epsilon), get_norm("linf"))
    return Problem(model, ball, labels, classes, seed=7)


def adapter(name: str, **parameters: Any) -> BudgetAttack:
    """One of robbench's library attacks by its registered name."""
    attack = attacks.get(name)(**parameters)
    if not isinstance(attack, BudgetAttack):
        raise TypeError(f"{name} has no radius")
    return attack


def distance_moved(name: str, epsilon: float, **parameters: Any) -> float:
    """How far one of robbench's attacks moves a gray image towards a boundary that lies straight ahead."""
    gray, labels = gray_image()
    given = problem(Brightness(), gray, labels, epsilon, classes=2)
    return float((adapter(name, random_start=False, **parameters).perturb(given) - gray).abs().max())
