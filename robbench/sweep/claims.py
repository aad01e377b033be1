"""Claims of the native engine: images that look adversarial are judged, recorded and pulled back."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robbench.sweep.attempts import Attempts
from robbench.sweep.judge import Verdict
from robbench.sweep.outcomes import Findings
from robbench.sweep.reach import reach
from robbench.sweep.slots import Slots
from robbench.tensors import Flags
from robbench.threat import Ball


@dataclass(frozen=True)
class Claims:
    """Settles the claims of slots, each of which says that its current image is adversarial.

    Attributes:
        attempts: The attempts that made them.
    """

    attempts: Attempts

    def settle(self, slots: Slots, findings: Findings) -> Flags:
        """Judge the slots' current images, and record what holds; which of them do.

        Args:
            slots: Slots with a claim. Those that hold learn what their sample breaks at, and keep the image.
            findings: Written.
        """
        first = slots.breaks == len(self.attempts.epsilons)
        won = self._judge(slots, torch.arange(len(slots), device=first.device), slots.tried, findings)
        if self.attempts.brief_steps:
            self._pull_back(slots, (won & first).nonzero().flatten(), findings)
        return won

    def _judge(self, slots: Slots, rows: Tensor, tried: Tensor, findings: Findings) -> Flags:
        """Judge the current images of the slots at ``rows`` as attempts at the grid indices ``tried``."""
        target, images = self.attempts.target, slots.iterate[rows]
        ball = Ball(slots.centers[rows], self.attempts.grid[tried], target.norm)
        verdict = target.judge.judge(images, ball, slots.labels[rows])
        findings.n_forward[slots.row[rows]] += target.exact_passes
        held = verdict.broken.nonzero().flatten()
        kept, where, images = Verdict(*(column[held] for column in verdict)), rows[held], images[held]
        alone = self.attempts.strategy.each_epsilon_alone
        breaks, broken = reach(self.attempts.grid, tried[held], kept.distance, alone)
        slots.breaks[where] = torch.minimum(slots.breaks[where], breaks)
        slots.nearest[where] = images
        findings.record(slots.row[where], images, kept.distance, kept.prediction, broken)
        return verdict.broken

    def _pull_back(self, slots: Slots, rows: Tensor, findings: Findings) -> None:
        """Bisect the grid for the smallest ball onto which an image projects and stays adversarial.

        Forward passes only. Whatever is accepted is an adversarial image like any other; that smaller balls
        need not behave alike only decides how many passes it takes.
        """
        low = torch.zeros_like(rows)
        while len(open_ := (slots.breaks[rows] - low > 1).nonzero().flatten()):
            rows, low = rows[open_], low[open_]
            middle = (low + slots.breaks[rows]) // 2
            ball = Ball(slots.centers[rows], self.attempts.grid[middle], self.attempts.target.norm)
            slots.iterate[rows] = ball.project(slots.nearest[rows])
            low = torch.where(self._judge(slots, rows, middle, findings), low, middle)
