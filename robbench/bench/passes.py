"""What a sweep costs, in one unit: the one place where it is defined."""

from dataclasses import dataclass

FORWARD_SHARE = 1 / 3
"""What a forward pass costs alone, as a share of a forward and a backward pass together."""


@dataclass(frozen=True)
class Passes:
    """Sample-passes: one image through the network, one way.

    Attributes:
        forward: Forward passes.
        backward: Backward passes, each of which follows one of the forward passes.
    """

    forward: int | float
    backward: int | float

    @property
    def cost(self) -> float:
        """The cost in forward-and-backward passes; a forward pass alone counts :data:`FORWARD_SHARE`."""
        return self.backward + (self.forward - self.backward) * FORWARD_SHARE

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward)

    def __sub__(self, other: "Passes") -> "Passes":
        return Passes(self.forward - other.forward, self.backward - other.backward)

    def times(self, factor: int | float) -> "Passes":
        """So many times as much."""
        return Passes(self.forward * factor, self.backward * factor)


def single_epsilon_run(correct: int, steps: int) -> Passes:
    """What one run of PGD at one ε takes: every correct sample makes all steps, and the last image is tested.

    Args:
        correct: Samples that are correct unperturbed; only they are attacked.
        steps: Iterations.
    """
    return Passes(forward=correct * (steps + 1), backward=correct * steps)
