"""Random search: the attack that any gradient must beat."""

from dataclasses import dataclass

import torch

from robbench.attacks.contract import IterativeAttack
from robbench.attacks.registration import register_attack
from robbench.tensors import Images, Keys, Labels, Logits, PerSample
from robbench.threat import Ball


@register_attack
@dataclass(frozen=True)
class Noise(IterativeAttack):
    """Uniform points of the ball, one a step; what they find, a gradient attack should find too."""

    algorithm = "noise"
    paper = "Athalye et al. 2018, arXiv:1802.00420"
    norms = ("linf", "l2")
    uses_gradient = False
    memoryless = False
    steps: int | None = 100
    restarts: int = 1

    def start(self, ball: Ball, keys: Keys) -> Images:
        return ball.random_point(keys)

    def objective(self, logits: Logits, labels: Labels) -> PerSample:
        return torch.zeros_like(logits[:, 0])

    def move(
        self, iterate: Images, gradient: Images, ball: Ball, keys: Keys, stride: PerSample | float = 1.0
    ) -> Images:
        return ball.random_point(keys)
