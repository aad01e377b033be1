"""AutoAttack by its authors' own code, the package pyautoattack (an extra)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from robbench.attacks.calling import StandIn, fresh_images, single_radius, stand_in, undisturbed
from robbench.attacks.cascade import attack_in_turn
from robbench.attacks.contract import BudgetAttack, Problem
from robbench.attacks.registration import register_attack
from robbench.tensors import Images

_NORMS = {"linf": "Linf", "l2": "L2"}
_TARGETS = 9
"""Targets of the targeted parts, fewer where there are fewer classes."""
_SILENT = logging.getLogger(__name__)
_SILENT.propagate = False
_SILENT.addHandler(logging.NullHandler())


@register_attack
@dataclass(frozen=True)
class PyAutoAttack(BudgetAttack):
    """AutoAttack, standard version: APGD-CE, APGD-T, FAB-T and Square in turn, by its authors' code.

    The package's parts with its settings, one after another; its own loop over them is not called, which
    keeps a state that cannot be read back, and takes the time of day for a seed. There are fewer targets
    where there are fewer classes, of which the package only warns. Below four classes the targeted DLR loss
    is undefined, and APGD-T is left out.

    Attributes:
        steps: Iterations of APGD-CE, APGD-T and FAB-T.
        queries: Images that Square tries per sample.
    """

    algorithm = "autoattack"
    backend = "pyautoattack"
    requires = "pyautoattack"
    is_extra = True
    paper = "Croce & Hein 2020, arXiv:2003.01690"
    norms = ("linf", "l2")
    follows_predictions = True
    steps: int | None = 100
    queries: int = 5000

    def perturb(self, problem: Problem) -> Images:
        with undisturbed(problem):
            model = stand_in(problem)
            parts = (part.perturb for part in self._parts(model, problem))
            return attack_in_turn(parts, model, fresh_images(problem), problem.labels)

    def _parts(self, model: StandIn, problem: Problem) -> Iterator[Any]:
        from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
        from pyautoattack.fab_pt import FABAttack_PT
        from pyautoattack.square import SquareAttack

        # Where no seed is given, it is the time of day.
        norm, epsilon = _NORMS[problem.ball.norm.name], single_radius(problem)
        given = {"norm": norm, "eps": epsilon, "seed": problem.seed, "device": problem.ball.centers.device}
        targets = min(_TARGETS, problem.classes - 1)
        rounds = {"n_iter": self.steps or 100}
        yield APGDAttack(model, loss="ce", logger=_SILENT, **rounds, **given)
        if problem.classes >= 4:
            yield APGDAttack_targeted(model, n_target_classes=targets, logger=_SILENT, **rounds, **given)
        yield FABAttack_PT(model, targeted=True, n_target_classes=targets, **rounds, **given)
        yield SquareAttack(model, n_queries=self.queries, resc_schedule=False, **given)
