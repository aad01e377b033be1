"""The registry of targets."""

import re
from collections.abc import Sequence

from robbench.errors import UserError
from robbench.registry import Registry, suggest
from robbench.reproducing.contract import Target

ALL = "all"

targets: Registry[Target] = Registry("target", "robbench.reproducing.targets")


def register_target(target: type[Target]) -> type[Target]:
    """A class decorator that makes a target known by its name."""
    targets.register(target.name)(target())
    return target


def all_targets() -> list[Target]:
    """All targets, figures in the order of their numbers."""
    return sorted((target for _, target in targets.items()), key=lambda target: _order(target.name))


def choose_targets(names: Sequence[str]) -> list[Target]:
    """The targets of these names, each once; ``all`` stands for every one.

    Raises:
        UserError: No name, or one that is no target's.
    """
    known = {target.name: target for target in all_targets()}
    if not names:
        raise UserError("No target is given.", f"There are {', '.join(known)}, and {ALL}.")
    for name in names:
        if name not in known and name != ALL:
            raise suggest("target", name, [*known, ALL])
    chosen = known if ALL in names else {name: known[name] for name in names}
    return list(chosen.values())


def _order(name: str) -> tuple[bool, str, int]:
    """Numbered ones first, then by name."""
    match = re.fullmatch(r"([a-z]+)(\d+)", name)
    return (match is None, match[1] if match else name, int(match[2]) if match else 0)
