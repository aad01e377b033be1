"""AutoAttack put together from torchattacks' parts, as its authors run it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from robbench.attacks.autoattack import StandardAutoAttack, has_targeted_loss, targets
from robbench.attacks.calling import StandIn, single_radius
from robbench.attacks.contract import Problem
from robbench.attacks.registration import register_attack


@register_attack
@dataclass(frozen=True)
class TorchattacksAutoAttack(StandardAutoAttack):
    """AutoAttack, standard version: APGD-CE, APGD-T, FAB-T and Square in turn, by torchattacks' parts.

    Not in l2, where torchattacks' APGD-T uses the first sample's step size for the whole batch.
    """

    backend = "torchattacks"
    requires = "torchattacks"
    revision = 2  # 1: Square's schedule squeezed into its queries

    def _parts(self, model: StandIn, problem: Problem) -> Iterator[Any]:
        import torchattacks

        epsilon, seed, steps = single_radius(problem), problem.seed, self.steps or 100
        given = {"norm": "Linf", "eps": epsilon, "seed": seed}
        classes = targets(problem) + 1
        yield torchattacks.APGD(model, steps=steps, loss="ce", **given)
        if has_targeted_loss(problem):
            yield torchattacks.APGDT(model, steps=steps, n_classes=classes, **given)
        yield torchattacks.FAB(model, steps=steps, multi_targeted=True, n_classes=classes, **given)
        # Its authors leave Square's schedule as made for 10 000 queries; torchattacks squeezes it into fewer.
        yield torchattacks.Square(model, n_queries=self.queries, resc_schedule=False, **given)
