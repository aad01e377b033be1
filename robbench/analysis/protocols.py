"""The two ways in which a curve of the paper is read: as the paper does, and as an attacker would."""

from robbench.schema import MINIMUM_NORM

PAPER = "paper"
STRONGER = "stronger"
PROTOCOLS = {
    PAPER: "The paper’s protocol: each ε by itself, judged at the last iterate",
    STRONGER: "Stronger: any iterate counts, broken at ε is broken above",
}
"""How they are read, in words."""
BPDA_OF = {PAPER: "BPDA leaves the layer out", STRONGER: "BPDA keeps the layer forward"}
"""The BPDA of either, in words."""


def protocol_of(strategy: str) -> str:
    """The protocol whose way of sweeping a strategy is.

    Args:
        strategy: As a curve has it: those of a worst-of's attacks are joined by ``+``. A minimum-norm attack
            fits either protocol.
    """
    used = set(strategy.split("+")) - {MINIMUM_NORM}
    return PAPER if used == {"independent"} else STRONGER
