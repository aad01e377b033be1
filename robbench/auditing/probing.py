"""Measuring a defense directly: its gradients, and PGD's course on it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from robbench.attacks.gradient import PGD, step_share
from robbench.auditing.attacks import NORM
from robbench.auditing.probes import GradientCounts, Probes, StandInCounts
from robbench.auditing.randomness import Randomness
from robbench.auditing.tracing import Trace, input_gradient, trace
from robbench.classifier import frozen, seeded
from robbench.defenses import Defense
from robbench.executors.local import Workplace
from robbench.randomness import mix_keys, uniform
from robbench.sweep.feed import Window, open_window
from robbench.sweep.passes import PassSize
from robbench.sweep.target import Target, View, make_target
from robbench.tensors import Flags, Images
from robbench.threat import Ball, get_norm
from robbench.torch_state import plain_torch

COSINE = 0.5
"""Of 60 degrees."""
LATE = 0.25
"""The share of the steps that count as the end of a run."""
STILL_RISING = 0.05
"""The share of the whole rise of the loss above which its end is no plateau, as in Pintor et al.'s code."""
_STEPS = 40


@dataclass(frozen=True)
class Subject:
    """What is probed.

    Attributes:
        name: The defense's name.
        defense: The defense, as it is attacked.
        inexact: Its views whose predictions are not its own.
        epsilon: The largest ε of the audit.
        seed: Seeds every random number.
        randomness: How random its forward pass is.
    """

    name: str
    defense: Defense
    inexact: tuple[str, ...]
    epsilon: float
    seed: int
    randomness: Randomness


def probe(subject: Subject, workplace: Workplace) -> Probes:
    """Measure everything that no attack's rows tell, on the samples that the defense gets right.

    Args:
        subject: What is probed; left on the CPU or wherever its modules were moved to, weights untouched.
        workplace: The samples, the device and the batch size.
    """
    defense = subject.defense
    gradients = {view: _gradients(subject, view, workplace) for view in defense.views}
    course = _Course()
    with _target(subject, "exact", workplace) as target:
        for window, ball in _batches(subject, target, workplace):
            course.add(trace(PGD(_STEPS), target, ball, window.labels, window.keys))
    turned, compared = _turns(subject, workplace)
    return Probes(
        epsilon=subject.epsilon,
        samples=course.samples,
        gradients=gradients,
        compared=compared,
        turned=turned,
        broken=course.broken,
        silent=course.silent,
        rising=course.rising,
        loss_curve=course.loss_curve(),
        stand_ins={view: _stand_in(subject, view, workplace) for view in subject.inexact},
        classified=len(workplace.dataset),
        evaluations=subject.randomness.evaluations,
        changed=subject.randomness.changed,
        spread=subject.randomness.spread,
    )


class _Course:
    """Adds up what PGD's course was, over batches; of a loss that became NaN or infinite there is no mean."""

    def __init__(self) -> None:
        self.samples = self.broken = self.silent = self.rising = 0
        self._sums = {True: torch.zeros(_STEPS + 1), False: torch.zeros(_STEPS + 1)}
        self._counts = {True: 0, False: 0}

    def add(self, course: Trace) -> None:
        broken = course.fools_exact.any(0)
        self.samples += len(broken)
        self.broken += int(broken.sum())
        self.silent += int((broken & ~course.fools_exact[-1]).sum())
        self.rising += int((_still_rising(course) & ~broken).sum())
        finite = course.losses.isfinite().all(0)
        for which in (True, False):
            counted = finite & (broken == which)
            self._sums[which] += course.losses[:, counted].sum(1).cpu()
            self._counts[which] += int(counted.sum())

    def loss_curve(self) -> list[float]:
        which = not self._counts[False]
        mean = self._sums[which] / max(self._counts[which], 1)
        return [round(value, 6) for value in mean.tolist()]


def _still_rising(course: Trace) -> Flags:
    """Whether the best loss so far grew in the last steps by a good part of what it grew in all."""
    best = course.losses.cummax(0).values
    late = best[round((1 - LATE) * (len(best) - 1))]
    whole = best[-1] - best[0]
    return (best[-1] - late) > STILL_RISING * whole.clamp_min(1e-12)


def _gradients(subject: Subject, view: str, workplace: Workplace) -> GradientCounts:
    counts: Counter[str] = Counter()
    derivatives = 0
    with _target(subject, view, workplace) as target:
        for window, ball in _batches(subject, target, workplace):
            points = ball.random_point(mix_keys(window.keys, -1))
            gradient = input_gradient(PGD(_STEPS), target, points, window.labels).gradient
            margin = input_gradient(PGD(_STEPS, "cw"), target, points, window.labels).gradient
            finite = gradient.flatten(1).isfinite().all(1)
            counts["zero"] += int((~_any_slope(gradient)).sum())
            counts["margin"] += int((~_any_slope(margin)).sum())
            counts["not finite"] += int((~finite).sum())
            counts["pixels"] += int((gradient == 0).sum())
            derivatives += gradient.numel()
    return GradientCounts(
        counts["zero"], counts["margin"], counts["not finite"], counts["pixels"] / max(derivatives, 1)
    )


def _turns(subject: Subject, workplace: Workplace) -> tuple[int, int]:
    """Samples whose gradient turns by more than 60 degrees within one step of PGD, and of how many."""
    turned = compared = 0
    attack = PGD(_STEPS)
    with _target(subject, "exact", workplace) as target:
        for window, ball in _batches(subject, target, workplace):
            points = ball.random_point(mix_keys(window.keys, -1))
            noise = 2 * uniform(mix_keys(window.keys, -2), workplace.dataset.shape) - 1
            step = subject.epsilon * step_share(attack.relative_step, attack.steps)
            near = ball.project(points + step * noise)
            here, there = (
                input_gradient(attack, target, images, window.labels).gradient for images in (points, near)
            )
            usable = _usable(here) & _usable(there)
            # In double precision: the squares of small gradients underflow.
            cosine = torch.cosine_similarity(here.flatten(1).double(), there.flatten(1).double(), eps=1e-300)
            turned += int((usable & (cosine < COSINE)).sum())
            compared += int(usable.sum())
    return turned, compared


def _stand_in(subject: Subject, view: str, workplace: Workplace) -> StandInCounts:
    fooled = transferred = 0
    with _target(subject, view, workplace) as target:
        for window, ball in _batches(subject, target, workplace):
            course = trace(PGD(_STEPS), target, ball, window.labels, window.keys)
            fools_view = course.fools_view.any(0)
            fooled += int(fools_view.sum())
            transferred += int((fools_view & course.fools_exact.any(0)).sum())
    return StandInCounts(fooled, transferred)


@contextmanager
def _target(subject: Subject, view: str, workplace: Workplace) -> Iterator[Target]:
    """The defense under one view, frozen, in full precision, with every random number seeded."""
    exact, differentiated = subject.defense.model, subject.defense.view(view)
    device = workplace.device
    exact.to(device)
    differentiated.to(device)
    target = make_target(
        exact,
        View(differentiated, view not in subject.inexact),
        "top1",
        get_norm(NORM),
        workplace.dataset.classes,
        device,
        PassSize(workplace.batch_size),
    )
    with frozen(exact, differentiated), plain_torch(), seeded(subject.seed, device):
        yield target


def _batches(subject: Subject, target: Target, workplace: Workplace) -> Iterator[tuple[Window, Ball]]:
    """The samples that the defense gets right, with the ball around each."""
    everything = torch.arange(len(workplace.dataset))
    for part in everything.split(workplace.batch_size):
        window = open_window(workplace.dataset.samples(part), part, target, f"audit {subject.seed}")
        kept = window.correct.nonzero().flatten()
        if len(kept):
            right = Window(
                window.index[kept.cpu()],
                tuple(window.ids[i] for i in kept.tolist()),
                window.images[kept],
                window.labels[kept],
                window.prediction[kept],
                window.correct[kept],
                window.keys[kept],
            )
            epsilon = torch.full_like(right.images[:, 0, 0, 0], subject.epsilon)
            yield right, Ball(right.images, epsilon, target.norm)


def _any_slope(gradient: Images) -> Flags:
    """Whether any pixel's derivative is not zero; NaN and infinity are counted elsewhere."""
    return (gradient != 0).flatten(1).any(1)


def _usable(gradient: Images) -> Flags:
    return _any_slope(gradient) & gradient.flatten(1).isfinite().all(1)
