"""The native engine: iterative attacks on a batch that is always full.

A slot of the batch is a sample at one ε. One forward pass both tests the current image and starts the step
to the next one, so a sample leaves at its first adversarial iterate; its slot goes on with the sample's next
ε or with a new sample. Radii, restarts and steps differ from slot to slot.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from robbench.attacks import IterativeAttack
from robbench.randomness import key_of, mix_keys
from robbench.sweep.feed import Window
from robbench.sweep.judge import Verdict, mislabels
from robbench.sweep.outcomes import Findings
from robbench.sweep.slots import Slots
from robbench.sweep.strategies import DECIDED, Strategy
from robbench.sweep.target import Target
from robbench.tensors import Flags, Images, Labels, Logits
from robbench.threat import TOLERANCE, Ball, per_image

CHECK_EVERY = {"cpu": 1, "cuda": 4}
"""Steps between two settlements, which read results on the host and would stall a GPU at every step."""


@dataclass
class IterativeSweep:
    """Sweeps a grid with one iterative attack.

    Attributes:
        attack: The attack.
        target: What it attacks.
        epsilons: The grid, ascending, starting with 0.
        strategy: The order of attempts.
        batch_size: Slots; also the largest batch of one pass, which is halved when memory runs out.
        precision: The arithmetic of the steps. Under ``bfloat16`` the judge, who takes float32, also sees the
            last image of every attempt, whatever bfloat16 says of it.
    """

    attack: IterativeAttack
    target: Target
    epsilons: tuple[float, ...]
    strategy: Strategy
    batch_size: int
    precision: str = "float32"

    def __post_init__(self) -> None:
        device = self.target.device
        self._grid = torch.tensor(self.epsilons, device=device)
        self._epsilon_keys = torch.tensor([key_of(epsilon) for epsilon in self.epsilons], device=device)
        self._steps = self.attack.steps or 1
        self._rounded = self.precision == "bfloat16"
        self._pass_size = self.batch_size
        self._warm_starts = self.strategy.warm_starts and self.attack.warm_starts

    def sweep(self, window: Window, findings: Findings) -> Iterator[Int64[Tensor, " m"]]:
        """Attack every correctly classified sample of a window over the whole grid.

        Args:
            window: The samples.
            findings: Written as they become known.

        Yields:
            Positions in the window of samples that have just been decided.
        """
        waiting = window.correct.nonzero().flatten()
        if len(self.epsilons) == 1:
            yield waiting
            return
        slots = self._begin(self._slots(window, waiting[: self.batch_size]))
        waiting = waiting[self.batch_size :]
        while len(slots):
            for _ in range(CHECK_EVERY[self.target.device.type]):
                self._advance(slots, findings)
            open_, restarting, decided = self._settle(slots, findings)
            if len(decided):
                yield slots.row[decided]
                restarting = restarting[open_]
                slots = slots.select(open_)
            if len(decided) and len(waiting):
                fresh = self._slots(window, waiting[: len(decided)])
                waiting = waiting[len(decided) :]
                restarting = torch.cat([restarting, torch.ones_like(fresh.hit)])
                slots = slots.join(fresh)
            self._begin(slots, restarting)

    def _slots(self, window: Window, rows: Tensor) -> Slots:
        points = len(self.epsilons)
        return Slots.of(window, rows, self.strategy.first(points), points)

    def _ball(self, slots: Slots) -> Ball:
        return Ball(slots.centers, self._grid[slots.tried], self.target.norm)

    def _attempt_keys(self, slots: Slots) -> Tensor:
        return mix_keys(mix_keys(slots.keys, slots.restart), self._epsilon_keys[slots.tried])

    def _begin(self, slots: Slots, which: Flags | None = None) -> Slots:
        """Put slots at the start of their attempt."""
        rows = (
            torch.arange(len(slots), device=slots.row.device) if which is None else which.nonzero().flatten()
        )
        if len(rows):
            starting = slots.select(rows)
            ball = self._ball(starting)
            start = self.attack.start(ball, mix_keys(self._attempt_keys(starting), -1))
            if self._warm_starts:
                warm = (starting.breaks < len(self.epsilons)) & (starting.restart == 0)
                start = torch.where(per_image(warm), ball.project(starting.nearest), start)
            slots.iterate, slots.previous = slots.iterate.clone(), slots.previous.clone()
            slots.iterate[rows] = start
            slots.previous[rows] = start
            slots.step[rows] = 0
            for flags in (slots.hit, slots.refused, slots.ended):
                flags[rows] = False
        return slots

    def _advance(self, slots: Slots, findings: Findings) -> None:
        """Test every slot's image and, where it is not adversarial, move it one step."""
        running = ~(slots.hit | slots.ended)
        exact_logits, gradient = self._passes(slots.iterate, slots.labels)
        testable = running & ~slots.refused
        if self.strategy.each_epsilon_alone:
            testable &= slots.step == self._steps
        last = slots.step == self._steps
        suspect = mislabels(exact_logits, slots.labels, self.target.judge.criterion)
        slots.hit |= testable & (suspect | last if self._rounded else suspect)
        slots.ended |= running & ~slots.hit & last
        moving = running & ~slots.hit & ~last
        keys = mix_keys(self._attempt_keys(slots), slots.step)
        moved = self.attack.move(slots.iterate, gradient, self._ball(slots), keys)
        self._end_repetitions(slots, moved, moving)
        moving_images = moving.view(-1, 1, 1, 1)
        slots.previous = torch.where(moving_images, slots.iterate, slots.previous)
        slots.iterate = torch.where(moving_images, moved, slots.iterate)
        slots.refused &= ~moving
        slots.step += moving
        self._count(slots, running, findings)

    def _count(self, slots: Slots, running: Flags, findings: Findings) -> None:
        forwards = (1 if self.target.view_is_exact else 2) if self.attack.uses_gradient else 1
        findings.n_forward[slots.row] += running * float(forwards)
        if self.attack.uses_gradient:
            findings.n_backward[slots.row] += running.float()

    def _end_repetitions(self, slots: Slots, moved: Images, moving: Flags) -> None:
        """End attempts whose next image was already tested: the rest of the run would repeat it.

        Exact where a move depends on nothing but the image: a fixed point (no gradient, or every pixel at a
        bound) stays one, and a return to the image before last goes on for ever. Two comparisons a step.
        """
        if not self.attack.memoryless:
            return
        repeats = moving & (moved == slots.iterate).flatten(1).all(1)
        if not self.strategy.each_epsilon_alone:
            repeats |= moving & (moved == slots.previous).flatten(1).all(1) & (slots.step > 0)
        if self.strategy.each_epsilon_alone or self._rounded:
            slots.step.masked_fill_(repeats, self._steps - 1)  # this move makes the last image, to be judged
        else:
            slots.ended |= repeats

    def _settle(self, slots: Slots, findings: Findings) -> tuple[Tensor, Flags, Tensor]:
        """Judge what looks adversarial, close attempts, and choose what each slot does next.

        Returns:
            Positions of the slots that go on, which slots begin an attempt, and positions of the decided.
        """
        won = self._judge_hits(slots, findings)
        out_of_restarts = slots.restart + 1 >= self.attack.restarts
        lost = slots.ended & out_of_restarts
        again = slots.ended & ~out_of_restarts
        slots.restart = torch.where(again, slots.restart + 1, slots.restart)
        slots.survives = torch.where(lost, torch.maximum(slots.survives, slots.tried), slots.survives)
        closed = won | lost
        following = self.strategy.following(slots.tried, slots.survives, slots.breaks, len(self.epsilons))
        decided = closed & (following == DECIDED)
        onward = closed & ~decided
        slots.tried = torch.where(onward, following, slots.tried)
        slots.restart = torch.where(onward, 0, slots.restart)
        return (~decided).nonzero().flatten(), onward | again, decided.nonzero().flatten()

    def _judge_hits(self, slots: Slots, findings: Findings) -> Flags:
        """Let the judge decide the hits; refused ones go on from where they are."""
        won = torch.zeros_like(slots.hit)
        rows = slots.hit.nonzero().flatten()
        if not len(rows):
            return won
        hits = slots.select(rows)
        verdict = self.target.judge.judge(hits.iterate, self._ball(hits), hits.labels)
        findings.n_forward[hits.row] += 1
        won[rows] = verdict.broken
        slots.refused |= slots.hit & ~won
        slots.ended |= slots.refused & (slots.step == self._steps)
        slots.hit &= won
        accepted = hits.select(verdict.broken)
        self._keep(slots, rows[verdict.broken], accepted, _select(verdict, verdict.broken), findings)
        if self._warm_starts:
            first = (accepted.breaks == len(self.epsilons)).nonzero().flatten()
            self._pull_back(slots, rows[verdict.broken][first], findings)
        return won

    def _keep(
        self, slots: Slots, rows: Tensor, accepted: Slots, verdict: Verdict, findings: Findings
    ) -> None:
        """Record accepted images of the slots at ``rows``."""
        breaks, broken = self._reach(accepted, verdict.distance)
        slots.breaks[rows] = torch.minimum(slots.breaks[rows], breaks)
        slots.nearest[rows] = accepted.iterate
        findings.record(accepted.row, accepted.iterate, verdict.distance, verdict.prediction, broken)

    def _pull_back(self, slots: Slots, rows: Tensor, findings: Findings) -> None:
        """Bisect the grid for the smallest ball onto which a slot's image projects and stays adversarial.

        Forward passes only. Whatever is accepted is an adversarial image like any other; that smaller balls
        need not behave alike only decides how many passes it takes.
        """
        low = slots.survives[rows]
        while len(open_ := (slots.breaks[rows] - low > 1).nonzero().flatten()):
            rows, low = rows[open_], low[open_]
            trial = slots.select(rows)
            trial.tried = (low + trial.breaks) // 2
            ball = self._ball(trial)
            trial.iterate = ball.project(trial.nearest)
            verdict = self.target.judge.judge(trial.iterate, ball, trial.labels)
            findings.n_forward[trial.row] += 1
            good = verdict.broken
            self._keep(slots, rows[good], trial.select(good), _select(verdict, good), findings)
            low = torch.where(good, low, trial.tried)

    def _reach(self, slots: Slots, distance: Tensor) -> tuple[Tensor, Tensor]:
        """The smallest grid index an accepted image breaks, and all grid points at which it counts."""
        points = torch.arange(len(self.epsilons), device=distance.device)
        if self.strategy.each_epsilon_alone:
            return slots.tried, points == slots.tried.unsqueeze(1)
        # At least 1: index 0 was decided by the clean prediction.
        smallest = torch.searchsorted(self._grid, distance - TOLERANCE).clamp_min(1)
        return smallest, points >= smallest.unsqueeze(1)

    def _passes(self, images: Images, labels: Labels) -> tuple[Logits, Images]:
        """The exact logits of images, and the gradient of the objective under the view."""
        while True:
            try:
                parts = [
                    self._pass(part, part_labels)
                    for part, part_labels in zip(
                        images.split(self._pass_size), labels.split(self._pass_size), strict=True
                    )
                ]
                return torch.cat([logits for logits, _ in parts]), torch.cat([grad for _, grad in parts])
            except torch.OutOfMemoryError:
                if self._pass_size == 1:
                    raise
                self._pass_size = (self._pass_size + 1) // 2

    def _pass(self, images: Images, labels: Labels) -> tuple[Logits, Images]:
        exact: nn.Module = self.target.judge.model
        images = images.detach().contiguous(memory_format=torch.channels_last)
        if not self.attack.uses_gradient:
            with torch.no_grad(), self._arithmetic():
                return exact(images).float(), torch.zeros_like(images)
        images.requires_grad_()
        with self._arithmetic():
            logits = self.target.view(images).float()
        (gradient,) = torch.autograd.grad(self.attack.objective(logits, labels).sum(), images)
        if not self.target.view_is_exact:
            with torch.no_grad(), self._arithmetic():
                logits = exact(images).float()
        # An undefined gradient says nothing about where to go.
        return logits.detach(), torch.nan_to_num(gradient, nan=0.0)

    def _arithmetic(self) -> torch.autocast:
        return torch.autocast(self.target.device.type, torch.bfloat16, enabled=self._rounded)


def _select(verdict: Verdict, which: Flags) -> Verdict:
    return Verdict(*(column[which] for column in verdict))
