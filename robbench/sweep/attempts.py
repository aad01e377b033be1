"""Attempts of the native engine: how one begins, and what follows when it is over."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.attacks import IterativeAttack
from robbench.randomness import key_of, mix_keys
from robbench.sweep.slots import Slots
from robbench.sweep.strategies import DECIDED, Strategy
from robbench.sweep.target import Target
from robbench.tensors import Keys, PerSample
from robbench.threat import Ball, per_image

WARM_SHARE = 0.2
"""Share of the attack's steps that a warm start is given before a failure is put to the whole attack.

Measured with PGD-100 on the digits models: 10 steps left the natural model's curve 0.8 points above that of
`survivors` at a cost of 2.02 single runs, 20 steps 0.0 points at 2.03; PGD-AT cost 1.43 and 1.46. All 100
steps and no attack of its own afterwards cost 1.56 and left 2.8 points.
"""


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
    warm_starts: bool = field(init=False)
    """Whether a success is followed by a warm start."""

    def __post_init__(self) -> None:
        device = self.target.device
        self.grid = torch.tensor(self.epsilons, device=device)
        self._epsilon_keys = torch.tensor([key_of(epsilon) for epsilon in self.epsilons], device=device)
        self.steps = self.attack.steps or 1
        self.warm_starts = self.strategy.warm_starts and self.attack.warm_starts
        self._warm_steps = max(1, round(WARM_SHARE * self.steps))

    def ball(self, slots: Slots) -> Ball:
        """Where each slot's images may be."""
        return Ball(slots.centers, slots.radius, self.target.norm)

    def keys(self, slots: Slots) -> Keys:
        """One random key per attempt: of the sample, the restart and ε."""
        return mix_keys(mix_keys(slots.keys, slots.restart), self._epsilon_keys[slots.tried])

    def begin(self, slots: Slots) -> Slots:
        """Put slots at the start of their attempt, in place."""
        slots.radius = self.grid[slots.tried]
        if not len(slots):
            return slots
        ball = self.ball(slots)
        start = self.attack.start(ball, mix_keys(self.keys(slots), -1))
        if self.warm_starts:
            start = torch.where(per_image(slots.warm), ball.project(slots.nearest), start)
        slots.iterate = slots.previous = start
        slots.limit = torch.where(slots.warm, self._warm_steps, self.steps)
        slots.step = torch.zeros_like(slots.step)
        slots.hit, slots.refused, slots.ended = (torch.zeros_like(slots.hit) for _ in range(3))
        return slots

    def close(self, slots: Slots) -> Closed:
        """Draw the conclusion of attempts that are over, and begin what follows.

        A warm start that failed is followed by the attack's own start at the same ε: a sample survives an ε
        only where the whole attack, started as ever, has failed.

        Args:
            slots: Slots whose attempts are over; those that succeeded have a ``hit``.
        """
        won = slots.hit
        closed = won | ~slots.warm & (slots.restart + 1 >= self.attack.restarts)
        following = self.strategy.following(slots.tried, slots.breaks, len(self.epsilons))
        # A warm attempt comes before the first restart, which therefore follows it.
        slots.restart = torch.where(closed | slots.warm, 0, slots.restart + 1)
        slots.tried = torch.where(closed, following, slots.tried)
        slots.warm = won if self.warm_starts else torch.zeros_like(won)
        decided = closed & (following == DECIDED)
        return Closed(self.begin(slots.select(~decided)), slots.row[decided])
