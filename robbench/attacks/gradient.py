"""The native gradient family: FGSM and PGD, under any differentiable loss and view."""

from dataclasses import dataclass
from typing import ClassVar

from robbench.attacks.contract import IterativeAttack
from robbench.attacks.losses import LOSSES
from robbench.attacks.registration import register_attack
from robbench.tensors import Images, Keys, Labels, Logits, PerSample
from robbench.threat import Ball, per_image


class _GradientAscent(IterativeAttack):
    """What the family shares: the objective and the projected step."""

    loss: str
    norms = ("linf", "l2")
    losses = ("ce", "cw")

    def objective(self, logits: Logits, labels: Labels) -> PerSample:
        return LOSSES[self.loss](logits, labels)


def ascend(iterate: Images, gradient: Images, ball: Ball, step: PerSample) -> Images:
    """One step of length ``step`` in the steepest direction, projected back into the ball."""
    return ball.project(iterate + per_image(step) * ball.norm.ascent(gradient))


@register_attack
@dataclass(frozen=True)
class FGSM(_GradientAscent):
    """One step of length ε along the gradient's sign, in l2 along the gradient, from the clean image."""

    algorithm = "fgsm"
    paper = "Goodfellow et al. 2014, arXiv:1412.6572"
    # Fixed, where the others leave a choice; no option, then, and no part of the name.
    steps: ClassVar[int | None] = 1  # pyright: ignore[reportIncompatibleVariableOverride]
    loss: str = "ce"
    restarts: ClassVar[int] = 1  # pyright: ignore[reportIncompatibleVariableOverride]

    def start(self, ball: Ball, keys: Keys) -> Images:
        return ball.centers

    def move(
        self, iterate: Images, gradient: Images, ball: Ball, keys: Keys, stride: PerSample | float = 1.0
    ) -> Images:
        return ascend(iterate, gradient, ball, ball.epsilon)


@register_attack
@dataclass(frozen=True)
class PGD(_GradientAscent):
    """Projected gradient ascent from a random point of the ball.

    Attributes:
        steps: Iterations.
        loss: What is ascended.
        restarts: Independent runs.
        relative_step: The step as a share of ε; None: 2.5 / steps, which can cross the ball. Never a
            library's default: those are absolute, or too short to cross the ball in few steps.
        random_start: Start from a uniform point of the ball instead of the clean image.
    """

    algorithm = "pgd"
    paper = "Madry et al. 2018, arXiv:1706.06083"
    can_be_brief = True
    steps: int | None = None
    loss: str = "ce"
    restarts: int = 1
    relative_step: float | None = None
    random_start: bool = True

    def start(self, ball: Ball, keys: Keys) -> Images:
        return ball.random_point(keys) if self.random_start else ball.centers

    def move(
        self, iterate: Images, gradient: Images, ball: Ball, keys: Keys, stride: PerSample | float = 1.0
    ) -> Images:
        step = step_share(self.relative_step, self.steps) * stride
        return ascend(iterate, gradient, ball, ball.epsilon * step)


def step_share(relative_step: float | None, steps: int | None) -> float:
    """The step as a share of ε: as given, else 2.5 / steps."""
    return relative_step if relative_step is not None else 2.5 / (steps or 1)
