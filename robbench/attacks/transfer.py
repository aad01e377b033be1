"""Transfer: PGD on another defense's classifier, judged on this one."""

from dataclasses import dataclass

from robbench.attacks.gradient import PGD
from robbench.attacks.registration import register_attack


@register_attack
@dataclass(frozen=True)
class Transfer(PGD):
    """PGD crafted on another defense, ``:source=natural``; beating white-box PGD betrays masking."""

    algorithm = "transfer"
    paper = "Papernot et al. 2017, arXiv:1602.02697"
