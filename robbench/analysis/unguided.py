"""Attacks that have no gradient to follow: what survives them would look like robustness."""

from collections.abc import Iterable


def unguided_notes(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Where an attack begins with a gradient of exactly zero, in a sentence per defense.

    Args:
        pairs: Names of a defense and of an attack on it.
    """
    attacks = dict[str, dict[str, None]]()
    for defense, attack in pairs:
        attacks.setdefault(defense, {})[attack] = None
    return [
        f"{defense} under {', '.join(labels)}: the gradient is exactly zero, so to survive is no robustness. "
        "robbench check says what to do."
        for defense, labels in attacks.items()
    ]
