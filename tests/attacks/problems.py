"""Problems for library attacks, and every registered library attack made small."""

from typing import Any

import torch
from torch import Tensor, nn

from robbench.attacks import BudgetAttack, MinimumNormAttack, Problem, attacks
from robbench.tensors import Images, Labels
from robbench.threat import Ball, get_norm

SMALL: dict[str, dict[str, Any]] = {
    "autoattack@pyautoattack": {"steps": 10, "queries": 50},
    "autoattack@torchattacks": {"steps": 10, "queries": 50},
    "square@torchattacks": {"queries": 100},
    "square@art": {"queries": 60},
    "hopskipjump@art": {"steps": 3},
}
"""Parameters that make a test quick; the others run as they are."""


def library_attack(name: str, **parameters: Any) -> BudgetAttack | MinimumNormAttack:
    """A registered library attack with a step count where it takes one and has none of its own."""
    attack_class: Any = attacks.get(name)
    given = {"steps": 10} if attack_class.__dataclass_fields__.get("steps") is not None else {}
    default = getattr(attack_class, "steps", None)
    return attack_class(**{**({"steps": default} if default else given), **SMALL.get(name, {}), **parameters})


def library_names(kind: type) -> list[str]:
    """The names of all registered attacks of a kind that some library runs."""
    return [
        name for name, member in attacks.items() if issubclass(member, kind) and member.backend != "native"
    ]


def problem(
    model: nn.Module,
    images: Images,
    labels: Labels,
    epsilon: float | Tensor,
    norm: str = "linf",
    classes: int = 5,
    seed: int = 7,
) -> Problem:
    """A problem as the harness would state it, the model in eval mode."""
    radii = epsilon if isinstance(epsilon, Tensor) else torch.full((len(images),), epsilon)
    return Problem(model.eval(), Ball(images, radii, get_norm(norm)), labels, classes, seed)
