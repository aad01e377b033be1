"""HopSkipJump by ART, which needs more guarding than its other attacks."""

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from robbench.attacks.art_adapter import ORDERS, ArtAttack, estimator
from robbench.attacks.calling import StandIn, stand_in
from robbench.attacks.contract import MinimumNormAttack, Problem
from robbench.attacks.registration import register_attack
from robbench.tensors import Images
from robbench.threat import Norm, per_image

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

    ART ends with a step away from the boundary; here the nearest adversarial image on its way counts.

    Attributes:
        steps: Iterations.
    """

    algorithm = "hopskipjump"
    paper = "Chen et al. 2020, arXiv:1904.02144"
    norms = ("linf", "l2")
    uses_gradient = False
    follows_predictions = True
    revision = 2  # 1: where ART ends, a step away from the boundary
    steps: int | None = 50

    def generate(self, problem: Problem, images: Any, labels: Any) -> Any:
        from art.attacks.evasion import HopSkipJump

        model = _Witness(stand_in(problem), problem.ball.norm, (self.steps or 50) * _CALLS_PER_STEP)
        attack = HopSkipJump(
            estimator(model, problem, "ce"),
            batch_size=max(len(images), _SMALLEST_BATCH),
            norm=ORDERS[problem.ball.norm.name],
            max_iter=self.steps or 50,
            verbose=False,
        )
        # ART draws its start from an unseeded generator, so it is given one; without one the sample is left.
        ends, nearest = problem.ball.centers.clone(), problem.ball.centers.clone()
        for i, start in _adversarial_starts(problem).items():
            model.watch(problem.ball.centers[i : i + 1], problem.labels[i])
            ends[i] = start
            with suppress(_StuckError):
                given = {"x_adv_init": start[None].cpu().numpy()}
                ends[i] = torch.as_tensor(attack.generate(images[i : i + 1], labels[i : i + 1], **given)[0])
            nearest[i] = model.nearest
        # Many images at a time round otherwise than one, which decides where one lies on the boundary.
        holds = problem.model(nearest).argmax(1) != problem.labels
        return torch.where(per_image(holds), nearest, ends)


class _StuckError(Exception):
    """The model was called too often: ART halves a step for ever where rounding undid its success."""


class _Witness(nn.Module):
    """A model that keeps the nearest adversarial image it is shown, and refuses after so many calls.

    Args:
        model: The model.
        norm: What measures how near an image is.
        patience: The number of calls for one sample.

    Attributes:
        nearest: The nearest image of another class than the sample's; the sample where there was none.
    """

    nearest: Tensor

    def __init__(self, model: StandIn, norm: Norm, patience: int) -> None:
        super().__init__()
        self.model = model
        self.norm = norm
        self.patience = patience

    def watch(self, image: Images, label: Tensor) -> None:
        """Begin with a sample: an image, (1, channels, height, width), and its class."""
        self.image, self.label = image, label
        self.nearest, self.distance = image[0], math.inf
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > self.patience:
            raise _StuckError
        images = images.float()  # ART asks in float64, and what is judged is float32
        logits = self.model(images)
        distance = self.norm.distance(images, self.image.expand_as(images))
        distance = torch.where(logits.argmax(1) != self.label, distance, torch.inf)
        closest = int(distance.argmin())
        if distance[closest] < self.distance:
            self.nearest, self.distance = images[closest].clone(), float(distance[closest])
        return logits


@torch.no_grad()
def _adversarial_starts(problem: Problem) -> dict[int, Tensor]:
    """For each sample, the first of some uniform images that the model gives another class."""
    centers, starts = problem.ball.centers, {}
    missing = torch.arange(len(centers), device=centers.device)
    for _ in range(_START_DRAWS):
        drawn = torch.rand(len(missing), *centers.shape[1:], device=centers.device)
        other = problem.model(drawn).argmax(1) != problem.labels[missing]
        starts.update(zip(missing[other].tolist(), drawn[other], strict=True))
        missing = missing[~other]
        if not len(missing):
            break
    return dict(sorted(starts.items()))
