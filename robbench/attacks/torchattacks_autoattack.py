"""AutoAttack put together from torchattacks' parts, as its authors run it."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from robbench.attacks.calling import StandIn, fresh_images, single_radius, stand_in, undisturbed
from robbench.attacks.cascade import attack_in_turn
from robbench.attacks.contract import BudgetAttack, Problem
from robbench.attacks.registration import register_attack
from robbench.attacks.torchattacks_adapter import build_square
from robbench.tensors import Images

_TARGETS = 9
"""Targets of the targeted parts, fewer where there are fewer classes."""


@register_attack
@dataclass(frozen=True)
class TorchattacksAutoAttack(BudgetAttack):
    """AutoAttack, standard version: APGD-CE, APGD-T, FAB-T and Square in turn, by torchattacks' parts.

    As the authors run it: 100 steps, 5000 queries, min(9, classes - 1) targets, and each part gets only what
    the one before left standing. Below four classes the targeted DLR loss is undefined, and APGD-T is left
    out. Not in l2, where torchattacks' APGD-T uses the first sample's step size for the whole batch.

    Attributes:
        steps: Iterations of APGD-CE, APGD-T and FAB-T.
        queries: Images that Square tries per sample.
    """

    algorithm = "autoattack"
    backend = "torchattacks"
    requires = "torchattacks"
    paper = "Croce & Hein 2020, arXiv:2003.01690"
    follows_predictions = True
    steps: int | None = 100
    queries: int = 5000

    def perturb(self, problem: Problem) -> Images:
        import torchattacks

        with undisturbed(problem):
            model = stand_in(problem)
            parts = self._parts(torchattacks, model, problem)
            return attack_in_turn(parts, model, fresh_images(problem), problem.labels)

    def _parts(self, library: ModuleType, model: StandIn, problem: Problem) -> Iterator[Any]:
        epsilon, seed, steps = single_radius(problem), problem.seed, self.steps or 100
        given = {"norm": "Linf", "eps": epsilon, "steps": steps, "seed": seed}
        targets = min(_TARGETS, problem.classes - 1)
        yield library.APGD(model, loss="ce", **given)
        if problem.classes >= 4:
            yield library.APGDT(model, n_classes=targets + 1, **given)
        yield library.FAB(model, multi_targeted=True, n_classes=targets + 1, **given)
        yield build_square(library, model, problem, self.queries)
