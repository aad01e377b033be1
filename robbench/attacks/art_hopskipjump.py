"""HopSkipJump by ART, which needs more guarding than its other attacks."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from robbench.attacks.art_adapter import ORDERS, ArtAttack, estimator
from robbench.attacks.calling import StandIn, stand_in
from robbench.attacks.contract import MinimumNormAttack, Problem
from robbench.attacks.registration import register_attack

_START_DRAWS = 100
"""Random images among which HopSkipJump looks for its adversarial start, as in ART."""
_SMALLEST_BATCH = 64
"""HopSkipJump asks for hundreds of predictions at a time; a small problem must not make it ask one by one."""
_CALLS_PER_STEP = 1000
"""Calls of the model after which a step of HopSkipJump is taken to be stuck; it needs about a hundred."""


@register_attack
@dataclass(frozen=True)
class ArtHopSkipJump(ArtAttack, MinimumNormAttack):
    """HopSkipJump: walks along the decision boundary by predicted classes alone, by ART.

    Attributes:
        steps: Iterations.
    """

    algorithm = "hopskipjump"
    paper = "Chen et al. 2020, arXiv:1904.02144"
    norms = ("linf", "l2")
    uses_gradient = False
    follows_predictions = True
    steps: int | None = 50

    def generate(self, problem: Problem, images: Any, labels: Any) -> Any:
        from art.attacks.evasion import HopSkipJump

        model = _Impatient(stand_in(problem), (self.steps or 50) * _CALLS_PER_STEP)
        attack = HopSkipJump(
            estimator(model, problem, "ce"),
            batch_size=max(len(images), _SMALLEST_BATCH),
            norm=ORDERS[problem.ball.norm.name],
            max_iter=self.steps or 50,
            verbose=False,
        )
        # ART draws its start from an unseeded generator, so it is given one; without one the sample is left.
        starts = _adversarial_starts(problem)
        points = images.copy()
        for i, start in starts.items():
            model.calls = 0
            try:
                points[i] = attack.generate(images[i : i + 1], labels[i : i + 1], x_adv_init=start[None])[0]
            except _StuckError:
                points[i] = start
        return points


class _StuckError(Exception):
    """The model was called too often: ART halves a step for ever where rounding undid its success."""


class _Impatient(nn.Module):
    """A model that refuses after so many calls.

    Args:
        model: The model.
        patience: The number of calls.
    """

    def __init__(self, model: StandIn, patience: int) -> None:
        super().__init__()
        self.model = model
        self.patience = patience
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > self.patience:
            raise _StuckError
        return self.model(images)


@torch.no_grad()
def _adversarial_starts(problem: Problem) -> dict[int, Any]:
    """For each sample, the first of some uniform images that the model gives another class."""
    centers, starts = problem.ball.centers, {}
    missing = torch.arange(len(centers), device=centers.device)
    for _ in range(_START_DRAWS):
        drawn = torch.rand(len(missing), *centers.shape[1:], device=centers.device)
        other = problem.model(drawn).argmax(1) != problem.labels[missing]
        for i, image in zip(missing[other].tolist(), drawn[other], strict=True):
            starts[i] = image.cpu().numpy()
        missing = missing[~other]
        if not len(missing):
            break
    return dict(sorted(starts.items()))
