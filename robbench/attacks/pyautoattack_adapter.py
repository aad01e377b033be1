"""AutoAttack by its authors' own code, the package pyautoattack (an extra)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from robbench.attacks.autoattack import Part, StandardAutoAttack, has_targeted_loss, targets
from robbench.attacks.calling import StandIn, single_radius
from robbench.attacks.contract import Problem
from robbench.attacks.registration import register_attack
from robbench.errors import UserError

_NORMS = {"linf": "Linf", "l2": "L2"}
_PATCHES = 5
_SILENT = logging.getLogger(__name__)
_SILENT.propagate = False
_SILENT.addHandler(logging.NullHandler())


@register_attack
@dataclass(frozen=True)
class PyAutoAttack(StandardAutoAttack):
    """AutoAttack, standard version: APGD-CE, APGD-T, FAB-T and Square in turn, by its authors' code.

    The package's parts with its settings; its own loop over them is not called, which keeps a state that
    cannot be read back, takes the time of day for a seed, and of too many targets only warns.
    """

    backend = "pyautoattack"
    requires = "pyautoattack"
    is_extra = True
    norms = ("linf", "l2")

    def _calls(self, model: StandIn, problem: Problem) -> Iterator[Part]:
        return (part.perturb for part in self._parts(model, problem))

    def _parts(self, model: StandIn, problem: Problem) -> Iterator[Any]:
        from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
        from pyautoattack.fab_pt import FABAttack_PT
        from pyautoattack.square import SquareAttack

        # Where no seed is given, it is the time of day.
        _check_size(problem)
        norm, epsilon = _NORMS[problem.ball.norm.name], single_radius(problem)
        given = {"norm": norm, "eps": epsilon, "seed": problem.seed, "device": problem.ball.centers.device}
        rounds, aims = {"n_iter": self.steps or 100}, {"n_target_classes": targets(problem)}
        yield APGDAttack(model, loss="ce", logger=_SILENT, **rounds, **given)
        if has_targeted_loss(problem):
            yield APGDAttack_targeted(model, logger=_SILENT, **aims, **rounds, **given)
        yield FABAttack_PT(model, targeted=True, **aims, **rounds, **given)
        yield SquareAttack(model, n_queries=self.queries, resc_schedule=False, **given)


def _check_size(problem: Problem) -> None:
    """Refuse what Square cannot lay out: in l2 it covers an image with patches of a fifth of its height.

    Below five pixels there are none. Where less is left over than the margin it begins with, as at 24 x 24,
    the last patch ends beyond the edge, and it raises.
    """
    height, width = problem.ball.centers.shape[2:]
    patch = height // _PATCHES
    margin = (height - _PATCHES * patch) // 2
    fits = patch == 1 or (patch and all(margin <= side % patch for side in (height, width)))
    if problem.ball.norm.name == "l2" and not (fits and width >= _PATCHES):
        raise UserError(
            f"autoattack@pyautoattack does not take images of {height} x {width} pixels in l2: its Square "
            f"covers them with patches of a {_PATCHES}th of their height, and these do not fit.",
            "Use apgd@torchattacks.",
        )
