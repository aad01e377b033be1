"""The attacks of an audit: cheap ones, of every kind that the checks compare."""

from collections.abc import Sequence
from dataclasses import dataclass

from robbench.attacks.catalog import ResolvedAttack, resolve_attack
from robbench.attacks.names import parse_attack
from robbench.datasets import DatasetInfo
from robbench.defenses import VIEWS, Defense
from robbench.errors import UserError

NORM = "linf"
"""The norm of every audit: at ε = 0.5 all images can be made the same, which only this norm makes so."""
REFERENCE = "pgd40"
"""The white-box attack that the others are compared with."""
ONE_STEP = "fgsm"
MORE_STEPS = "pgd160"
MORE_RESTARTS = "pgd40:restarts=5"
OTHER_LOSS = "pgd40-cw"
"""The margin loss keeps a gradient where cross-entropy's underflows."""
NOISE = "noise100"
BLACK_BOX = "square:queries=500"
WHITE_BOX = (REFERENCE, ONE_STEP, MORE_STEPS, MORE_RESTARTS, OTHER_LOSS)
SOURCES = ("natural", "pgd-at")
"""The trained defenses whose adversarial images are transferred."""


@dataclass(frozen=True)
class AuditAttacks:
    """The attacks on one defense.

    Attributes:
        resolved: By the name under which the audit asks for them.
        stand_ins: The names of those that differentiate a stand-in.
        transfers: The names of those that differentiate another defense.
        missing: What cannot be run, and why not.
    """

    resolved: dict[str, ResolvedAttack]
    stand_ins: tuple[str, ...]
    transfers: tuple[str, ...]
    missing: dict[str, str]

    @property
    def white_box(self) -> tuple[str, ...]:
        """The names of those that differentiate the defense itself."""
        others = {*self.stand_ins, *self.transfers}
        return tuple(
            name
            for name, attack in self.resolved.items()
            if name not in others and attack.attack.uses_gradient and attack.view == "exact"
        )


def choose_attacks(
    defense: Defense, sources: Sequence[str], further: Sequence[str], info: DatasetInfo, classes: int
) -> AuditAttacks:
    """The attacks on a defense: the same for all, one per stand-in it has, one per source.

    Args:
        defense: The defense.
        sources: Names of trained defenses other than this one.
        further: Attacks that some check needs.
        info: The dataset.
        classes: The number of classes.
    """
    stand_ins = tuple(
        f"{REFERENCE}:view={view}" for view in VIEWS if view != "exact" and view in defense.views
    )
    transfers = tuple(f"transfer40:source={source}" for source in sources)
    resolved, missing = {}, {}
    for name in dict.fromkeys([*WHITE_BOX, NOISE, BLACK_BOX, *stand_ins, *transfers, *further]):
        try:
            resolved[name] = resolve_attack(parse_attack(name), info, NORM, classes)
        except UserError as error:
            # The names are robbench's own, so what fails is a library that is not installed, or its demands.
            missing[name] = error.message
    return AuditAttacks(resolved, stand_ins, transfers, missing)
