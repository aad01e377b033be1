"""AutoAttack's standard version, whoever brings its parts: their order, their settings, who gets what."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from robbench.attacks.calling import StandIn, fresh_images, stand_in, undisturbed
from robbench.attacks.contract import BudgetAttack, Problem
from robbench.attacks.undefined import defined
from robbench.tensors import Images, Labels

Part = Callable[[Images, Labels], Images]
"""Perturbs images that it is given with their labels."""
_TARGETS = 9


@dataclass(frozen=True)
class StandardAutoAttack(BudgetAttack):
    """APGD-CE, APGD-T, FAB-T and Square in turn: each gets only what the ones before left standing.

    As the authors run it: 100 steps, 5000 queries, min(9, classes - 1) targets. Below four classes the
    targeted DLR loss is undefined, and APGD-T is left out.

    Attributes:
        steps: Iterations of APGD-CE, APGD-T and FAB-T.
        queries: Images that Square tries per sample.
    """

    algorithm = "autoattack"
    paper = "Croce & Hein 2020, arXiv:2003.01690"
    follows_predictions = True
    steps: int | None = 100
    queries: int = 5000

    def perturb(self, problem: Problem) -> Images:
        with undisturbed(problem):
            model, images, labels = stand_in(problem), fresh_images(problem), problem.labels
            points = images.clone()
            standing = torch.arange(len(images), device=images.device)
            for part in self._calls(model, problem):
                found = part(images[standing], labels[standing]).detach()
                points[standing] = defined(found, images[standing])
                with torch.no_grad():
                    holds = model(points[standing]).argmax(1) == labels[standing]
                standing = standing[holds]
                if not len(standing):
                    break
            return points

    def _calls(self, model: StandIn, problem: Problem) -> Iterator[Part]:
        """The parts as what is called; each is built when its turn comes."""
        return self._parts(model, problem)

    @abstractmethod
    def _parts(self, model: StandIn, problem: Problem) -> Iterator[Any]:
        """The library's attacks, in their order."""


def targets(problem: Problem) -> int:
    """Targets of the targeted parts, fewer where there are fewer classes."""
    return min(_TARGETS, problem.classes - 1)


def has_targeted_loss(problem: Problem) -> bool:
    """Whether the targeted DLR loss is defined."""
    return problem.classes >= 4
