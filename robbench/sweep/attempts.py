"""Attempts of the native engine: how one begins, and what follows when it is over."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.attacks import IterativeAttack
from robbench.randomness import key_of, mix_keys
from robbench.sweep.slots import BRIEF, Slots
from robbench.sweep.strategies import DECIDED, Strategy
from robbench.sweep.target import Target
from robbench.tensors import Keys, PerSample
from robbench.threat import Ball, per_image


class Closed(NamedTuple):
    """What became of slots whose attempts closed."""

    onward: Slots
    """Those with another attempt, which is begun."""
    decided: Int64[Tensor, " m"]
    """Positions in the window of those without."""


@dataclass
class Attempts:
    """The attempts of one attack on one target, over a grid.

    Attributes:
        attack: The attack.
        target: What it attacks.
        epsilons: The grid, ascending, starting with 0.
        strategy: The order of attempts.
    """

    attack: IterativeAttack
    target: Target
    epsilons: tuple[float, ...]
    strategy: Strategy
    grid: PerSample = field(init=False)
    """The grid on the target's device."""
    steps: int = field(init=False)
    """Moves of a whole attempt."""
    first_restart: int = field(init=False)
    """The number of the first attempt at every ε."""
    brief_steps: int = field(init=False)
    """Moves of the brief attempt that comes first at every ε; 0: there is none."""

    def __post_init__(self) -> None:
        device = self.target.device
        self.grid = torch.tensor(self.epsilons, device=device)
        self._epsilon_keys = torch.tensor([key_of(epsilon) for epsilon in self.epsilons], device=device)
        self.steps = self.attack.steps or 1
        is_brief_first = self.strategy.brief_first and self.attack.can_be_brief and self.steps > 1
        self.brief_steps = brief_steps(self.steps) if is_brief_first else 0
        self.first_restart = BRIEF if is_brief_first else 0

    def ball(self, slots: Slots) -> Ball:
        """Where each slot's images may be."""
        return Ball(slots.centers, slots.radius, self.target.norm)

    def keys(self, slots: Slots) -> Keys:
        """One random key per attempt: of the sample, the restart and ε."""
        return mix_keys(mix_keys(slots.keys, slots.restart), self._epsilon_keys[slots.tried])

    def stride(self, slots: Slots) -> PerSample | float:
        """How many times as long as the attack's own each slot's steps are: a brief attempt gets as far."""
        if not self.brief_steps:
            return 1.0
        return torch.where(slots.restart == BRIEF, self.steps / self.brief_steps, 1.0)

    def begin(self, slots: Slots) -> Slots:
        """Put slots at the start of their attempt, in place."""
        slots.radius = self.grid[slots.tried]
        if not len(slots):
            return slots
        ball = self.ball(slots)
        start = self.attack.start(ball, mix_keys(self.keys(slots), -1))
        brief = slots.restart == BRIEF
        if self.brief_steps:
            start = torch.where(per_image(brief), ball.project(slots.nearest), start)
        slots.iterate = slots.previous = start
        slots.limit = torch.where(brief, self.brief_steps, self.steps)
        slots.step = torch.zeros_like(slots.step)
        slots.hit, slots.refused, slots.ended = (torch.zeros_like(slots.hit) for _ in range(3))
        return slots

    def close(self, slots: Slots) -> Closed:
        """Draw the conclusion of attempts that are over, and begin what follows.

        A brief attempt that failed is followed by the attack itself at the same ε: a sample survives an ε
        only where the whole attack, started as ever, has failed.

        Args:
            slots: Slots whose attempts are over; those that succeeded have a ``hit``.
        """
        won = slots.hit
        closed = won | (slots.restart + 1 >= self.attack.restarts)
        following = self.strategy.following(slots.tried, slots.breaks, len(self.epsilons))
        slots.restart = torch.where(closed, self.first_restart, slots.restart + 1)
        slots.tried = torch.where(closed, following, slots.tried)
        onward, decided = slots.parted(closed & (following == DECIDED))
        return Closed(self.begin(onward), decided.row)


def brief_steps(steps: int) -> int:
    """The moves of a brief attempt, each so many times longer that together they get as far: half of √steps.

    A search descends by brief attempts, and only a failure is worth all steps. Measured in single runs of
    PGD-100 on 360 digits (natural model; PGD-AT): one move costs 0.99 and 1.18, two 0.98 and 1.15, three 0.98
    and 1.12, five 0.99 and 1.11, and at 0.3 these leave 49.4, 48.9, 48.1 and 46.9 % of PGD-AT, `survivors`
    48.1: long steps also find what the attack's own do not. So a brief attempt is not given up where its
    margin falls too slowly: that saved nothing there, and left up to 2.5 points more. Of PGD-20 on 300 images
    of CIFAR-10's PGD-AT one move costs 1.09, two 1.16 and three 1.19; they differ by one image.
    """
    return max(1, round(math.sqrt(steps) / 2))
