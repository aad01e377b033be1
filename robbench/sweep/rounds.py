"""Library attacks over a grid, in rounds: each call is a batch of (sample, its own ε) where it can be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.attacks import BudgetAttack, MinimumNormAttack, Problem
from robbench.attacks.undefined import defined
from robbench.classifier import seeded
from robbench.errors import UserError
from robbench.randomness import key_of
from robbench.sweep.feed import Window
from robbench.sweep.outcomes import Findings
from robbench.sweep.reach import reach
from robbench.sweep.strategies import DECIDED, Strategy
from robbench.sweep.target import Target
from robbench.tensors import Images
from robbench.threat import Ball

BLOCK = 128
"""Samples a library attacks together. Fixed, because its random numbers depend on who shares the batch: so
an interruption changes no result. Its passes may hold fewer
(:class:`robbench.sweep.passes.PartedModel`), which changes gradients by a rounding; where that decides
whether a sample breaks, others draw anew after it."""


@dataclass
class LibrarySweep:
    """Sweeps a grid with one library attack.

    Attributes:
        attack: The attack.
        target: What it attacks.
        epsilons: The grid, ascending, starting with 0.
        strategy: The order of attempts; a minimum-norm attack needs none.
        seed: The seed of the run.
    """

    attack: BudgetAttack | MinimumNormAttack
    target: Target
    epsilons: tuple[float, ...]
    strategy: Strategy
    seed: int

    def __post_init__(self) -> None:
        self._grid = torch.tensor(self.epsilons, device=self.target.device)

    def sweep(self, window: Window, findings: Findings) -> Iterator[Int64[Tensor, " m"]]:
        """Attack every correctly classified sample of a window over the whole grid.

        Args:
            window: One block of samples.
            findings: Written as they become known.

        Yields:
            Once, the positions of all samples attacked.
        """
        rows = window.correct.nonzero().flatten()
        if len(self.epsilons) > 1 and len(rows):
            if isinstance(self.attack, MinimumNormAttack):
                self._minimize(window, findings, rows)
            else:
                self._sweep_budgets(self.attack, window, findings, rows)
        yield rows

    def _minimize(self, window: Window, findings: Findings, rows: Tensor) -> None:
        largest = torch.full_like(rows, len(self.epsilons) - 1)
        for restart in range(getattr(self.attack, "restarts", 1)):
            points = self._call(self.attack, window, findings, rows, largest, restart)
            # Any distance counts here: the image breaks every ε that is not smaller.
            box = Ball(
                window.images[rows], torch.full(rows.shape, torch.inf, device=rows.device), self.target.norm
            )
            self._judge(points.clamp(0, 1), box, window, findings, rows, largest)

    def _sweep_budgets(self, attack: BudgetAttack, window: Window, findings: Findings, rows: Tensor) -> None:
        points = len(self.epsilons)
        tried = torch.full_like(rows, self.strategy.first(points))
        breaks = torch.full_like(rows, points)
        while len(rows):
            for group in self._groups(attack, tried):
                self._attempt(attack, window, findings, rows[group], tried[group])
            first_broken = findings.broken[rows].int().argmax(1)
            breaks = torch.where(findings.broken[rows].any(1), first_broken, breaks)
            following = self.strategy.following(tried, breaks, points)
            on = following != DECIDED
            rows, tried, breaks = rows[on], following[on], breaks[on]

    def _groups(self, attack: BudgetAttack, tried: Tensor) -> list[Tensor]:
        """Positions that one call can attack together."""
        if attack.per_sample_epsilon:
            return [torch.arange(len(tried), device=tried.device)]
        return [(tried == index).nonzero().flatten() for index in tried.unique().tolist()]

    def _attempt(
        self, attack: BudgetAttack, window: Window, findings: Findings, rows: Tensor, tried: Tensor
    ) -> None:
        """Attack samples at their ε, restarting on those that hold."""
        won = torch.zeros_like(rows, dtype=torch.bool)
        for restart in range(getattr(attack, "restarts", 1)):
            left = (~won).nonzero().flatten()
            if not len(left):
                break
            points = self._call(attack, window, findings, rows[left], tried[left], restart)
            ball = Ball(window.images[rows[left]], self._grid[tried[left]], self.target.norm)
            # A library may overshoot by rounding, or return what it never checked.
            won[left] = self._judge(ball.project(points), ball, window, findings, rows[left], tried[left])

    def _call(
        self,
        attack: BudgetAttack | MinimumNormAttack,
        window: Window,
        findings: Findings,
        rows: Tensor,
        tried: Tensor,
        restart: int,
    ) -> Images:
        """One call of the library, seeded, its passes shared out evenly among the samples."""
        who = [window.ids[row] for row in rows.tolist()]
        seed = key_of(self.seed, attack, who, tried.tolist(), restart) % 2**31
        ball = Ball(window.images[rows], self._grid[tried], self.target.norm)
        problem = Problem(self.target.view, ball, window.labels[rows], self.target.classes, seed)
        perturb = partial(self._perturb, attack, problem)
        points, n_forward, n_backward = self.target.size.retrying(perturb, len(rows))
        findings.n_forward[rows] += n_forward / len(rows)
        findings.n_backward[rows] += n_backward / len(rows)
        return defined(points.detach().float(), ball.centers)

    def _perturb(self, attack: BudgetAttack | MinimumNormAttack, problem: Problem) -> tuple[Images, int, int]:
        """What the library returns, given copies; and its forward and backward passes."""
        counter, ball = self.target.counter, problem.ball
        before = (counter.forward, counter.backward)
        copied = replace(ball, centers=ball.centers.clone())
        with seeded(problem.seed, self.target.device):
            points = attack.perturb(replace(problem, ball=copied, labels=problem.labels.clone()))
        if points.shape != ball.centers.shape:
            raise UserError(
                f"{attack} returned images of shape {tuple(points.shape)}, "
                f"where {tuple(ball.centers.shape)} was expected.",
                "An attack returns one image for each that it was given.",
            )
        return points, counter.forward - before[0], counter.backward - before[1]

    def _judge(
        self, points: Images, ball: Ball, window: Window, findings: Findings, rows: Tensor, tried: Tensor
    ) -> Tensor:
        verdict = self.target.judge.judge(points, ball, window.labels[rows])
        findings.n_forward[rows] += self.target.exact_passes
        won = verdict.broken
        distance = verdict.distance[won]
        alone = self.strategy.each_epsilon_alone and not isinstance(self.attack, MinimumNormAttack)
        broken = reach(self._grid, tried[won], distance, alone).broken
        findings.record(rows[won], points[won], distance, verdict.prediction[won], broken)
        return won
