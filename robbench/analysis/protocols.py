"""The two ways in which a curve of the paper is read: as the paper does, and as an attacker would."""

from robbench.schema import MINIMUM_NORM

PAPER = "paper"
STRONGER = "stronger"
PROTOCOLS = {
    PAPER: "The paper’s protocol: each ε by itself, judged at the last iterate; BPDA leaves the layer out",
    STRONGER: "Stronger: any iterate counts, broken at ε is broken above; BPDA keeps the layer forward",
}
"""What a row of panels is headed by."""


def protocol_of(strategy: str) -> str:
    """The protocol whose way of sweeping a strategy is.

    Args:
        strategy: As a curve has it: those of a worst-of's attacks are joined by ``+``. A minimum-norm attack
            fits either protocol.
    """
    used = set(strategy.split("+")) - {MINIMUM_NORM}
    return PAPER if used == {"independent"} else STRONGER
