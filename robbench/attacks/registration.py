"""The registry of attacks, by algorithm and backend."""

from dataclasses import is_dataclass
from typing import TypeVar

from robbench.attacks.contract import Attack
from robbench.registry import Registry

A = TypeVar("A", bound=Attack)


def _is_attack(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, Attack) and is_dataclass(member)


attacks: Registry[type[Attack]] = Registry(
    "attack",
    "robbench.attacks",
    "robbench list attacks",
    "a dataclass that inherits from a kind of robbench.attacks.Attack",
    _is_attack,
)
"""Members are called ``algorithm`` for native attacks and ``algorithm@backend`` for the libraries'."""


def register_attack(attack: type[A]) -> type[A]:
    """Make an attack class known by its algorithm and backend."""
    attacks.register(registered_name(attack.algorithm, attack.backend))(attack)
    return attack


def registered_name(algorithm: str, backend: str) -> str:
    """The name under which the registry keeps an attack."""
    return algorithm if backend == "native" else f"{algorithm}@{backend}"
