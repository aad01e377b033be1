"""AutoAttack's order of parts, with parts made up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from robbench.attacks.autoattack import StandardAutoAttack
from robbench.attacks.calling import StandIn
from robbench.attacks.contract import Problem
from tests.attacks.problems import problem
from tests.oracles import linear_oracle


@dataclass(frozen=True)
class MadeUp(StandardAutoAttack):
    """A first part that leaves images undefined, and a second one that breaks every image that it gets."""

    def _parts(self, model: StandIn, problem: Problem) -> Iterator[Any]:
        yield lambda images, labels: torch.full_like(images, torch.nan)
        yield lambda images, labels: torch.full_like(images, 0.25)


def test_an_undefined_image_is_left_to_the_parts_that_follow():
    model, images, labels = linear_oracle(classes=6)
    points = MadeUp().perturb(problem(model, images, labels, 1.0, classes=6))
    assert torch.equal(points, torch.full_like(images, 0.25))
