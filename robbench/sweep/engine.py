"""The native engine: iterative attacks on a batch that is always full.

A slot of the batch is a sample at one ε. One forward pass both tests the current image and starts the step
to the next one, so a sample leaves at its first adversarial iterate; its place is taken at once by a new
sample. What looks adversarial waits aside until there is a batch of it to judge, and then goes on with the
sample's next ε. Radii, restarts and steps differ from slot to slot.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.randomness import mix_keys
from robbench.sweep.attempts import Attempts, Closed
from robbench.sweep.claims import Claims
from robbench.sweep.feed import Window
from robbench.sweep.gradients import Gradients
from robbench.sweep.judge import mislabels
from robbench.sweep.outcomes import Findings
from robbench.sweep.slots import Slots
from robbench.sweep.strategies import Strategy
from robbench.tensors import Flags, Images, Keys
from robbench.threat import per_image

CHECK_EVERY = {"cpu": 1, "cuda": 4}
"""Steps between two settlements, which read results on the host and would stall a GPU at every step."""
CLAIMS_SHARE = 0.25
"""Claims wait for the judge until there are so many for every slot that runs: judged as they come, a few at a
time, their forward passes took a quarter as long as all of the attack's steps."""


@dataclass
class IterativeSweep:
    """Sweeps a grid with one iterative attack.

    Attributes:
        gradients: The attack, what it attacks, and in which arithmetic it takes its steps.
        epsilons: The grid, ascending, starting with 0.
        strategy: The order of attempts.
        batch_size: Slots; one pass takes them all, or as many as the target lets it.
    """

    gradients: Gradients
    epsilons: tuple[float, ...]
    strategy: Strategy
    batch_size: int

    def __post_init__(self) -> None:
        self.attack, self.target = self.gradients.attack, self.gradients.target
        self._rounded = self.gradients.precision == "bfloat16"
        self._last_only = self.strategy.each_epsilon_alone and self.attack.uses_gradient
        self._cost = self.target.view_passes if self._last_only else self.gradients.cost
        self._attempts = Attempts(self.attack, self.target, self.epsilons, self.strategy)
        self._claims = Claims(self._attempts)

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
        running, claims = self._fresh(window, waiting[:0]), list[Slots]()
        while len(running) or claims or len(waiting):
            if len(waiting) and (room := self.batch_size - len(running) - sum(map(len, claims))):
                running = Slots.joined([running, self._fresh(window, waiting[:room])])
                waiting = waiting[room:]
            if len(running):
                for _ in range(CHECK_EVERY[self.target.device.type]):
                    self._advance(running, findings)
            running, decided = self._settle(running, claims, findings)
            if len(decided):
                yield decided

    def _fresh(self, window: Window, rows: Tensor) -> Slots:
        points, restart = len(self.epsilons), self._attempts.first_restart
        return self._attempts.begin(Slots.of(window, rows, self.strategy.first(points), restart, points))

    def _advance(self, slots: Slots, findings: Findings) -> None:
        """Test every slot's image and, where it is not adversarial, move it one step.

        The last image of an attempt is left to the judge: its forward pass is all that is wanted of it.
        """
        running = ~(slots.hit | slots.ended)
        gradient = self._test(slots, running)
        moving = running & ~slots.hit
        ball, stride = self._attempts.ball(slots), self._attempts.stride(slots)
        moved = self.attack.move(slots.iterate, gradient, ball, self._keys(slots), stride)
        moved = self._end_repetitions(slots, moved, moving)
        moves = per_image(moving)
        slots.previous = torch.where(moves, slots.iterate, slots.previous)
        slots.iterate = torch.where(moves, moved, slots.iterate)
        slots.refused &= ~moving
        slots.step += moving
        slots.hit |= moving & ~slots.ended & (slots.step == slots.limit)
        findings.n_forward[slots.row] += running * float(self._cost)
        if self.attack.uses_gradient:
            findings.n_backward[slots.row] += running * float(self.target.view_passes)

    def _test(self, slots: Slots, running: Flags) -> Images:
        """Note which images look adversarial, unless only the last ones count; the gradient at all."""
        if self._last_only:
            return self.gradients.alone(slots.iterate, slots.labels)
        exact_logits, gradient = self.gradients.at(slots.iterate, slots.labels)
        suspect = mislabels(exact_logits, slots.labels, self.target.judge.criterion)
        slots.hit |= running & ~slots.refused & suspect
        return gradient

    def _keys(self, slots: Slots) -> Keys:
        """Random keys of this step, for an attack that draws any."""
        return slots.keys if self.attack.memoryless else mix_keys(self._attempts.keys(slots), slots.step)

    def _end_repetitions(self, slots: Slots, moved: Images, moving: Flags) -> Images:
        """End attempts whose next image was already tested: the rest of the run would repeat it.

        Exact where a move depends on nothing but the image: a fixed point (no gradient, or every pixel at a
        bound) stays one, and a return to the image before last goes on for ever. Two comparisons a step. A
        defense that is randomized, or classifies an image by its company, may give it another gradient.

        Returns:
            The next images; where the last one is to be judged, it is that at once.
        """
        if not self.attack.memoryless or self.target.varies:
            return moved
        stays = (moved == slots.iterate).flatten(1).all(1)
        returns = (moved == slots.previous).flatten(1).all(1) & (slots.step > 0)
        repeats = moving & (stays | returns)
        if not (self.strategy.each_epsilon_alone or self._rounded):
            slots.ended |= repeats
            return moved
        # Of two images in turn, after an odd number of moves it is the other one.
        is_even = (slots.limit - slots.step) % 2 == 0
        slots.step = torch.where(repeats, slots.limit - 1, slots.step)
        return torch.where(per_image(repeats & is_even), slots.iterate, moved)

    def _settle(self, running: Slots, claims: list[Slots], findings: Findings) -> Closed:
        """Set claims aside, judge them once there are enough, and close attempts that are over.

        Returns:
            The slots that run, and the positions of samples that are decided.
        """
        running, stopped = running.parted(running.hit | running.ended)
        hits, ended = stopped.parted(stopped.ended)
        claims += [hits] if len(hits) else []
        closing = [ended]
        if claims and sum(map(len, claims)) >= CLAIMS_SHARE * len(running):
            claiming = Slots.joined(claims)
            claims.clear()
            claiming.hit = self._claims.settle(claiming, findings)
            claiming.refused = ~claiming.hit
            refused, over = claiming.parted(claiming.hit | (claiming.step == claiming.limit))
            closing.append(over)
            running = Slots.joined([running, refused])
        if not any(map(len, closing)):
            return Closed(running, running.row[:0])
        onward, decided = self._attempts.close(Slots.joined(closing))
        return Closed(Slots.joined([running, onward]), decided)
