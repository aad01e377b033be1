"""The control of a search: does the shortcut claim robustness that the thorough way does not find?

Searching assumes that a sample which survives ε survives every smaller one. Masked gradients can violate
that, so a seeded subsample is swept both ways, and where the search claims more the whole job goes the
thorough way.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from robbench.randomness import key_of

Broken = Bool[Tensor, "n points"]
SMALLEST = 256
"""Samples in the control at least. One net sample is then more than :data:`TOLERATED` allows."""
SHARE = 0.05
"""The control's share of a large dataset."""
TOLERATED = 0.2
"""Points of accuracy that the search may claim beyond the thorough sweep, at any ε."""


@dataclass(frozen=True)
class ControlResult:
    """What the control found.

    Attributes:
        samples: Its size.
        disagreement: The most, over the grid, by which the search's robust accuracy on it exceeds that of
            ``survivors``, in points (percent); negative where it is lower everywhere.
        fell_back: Whether the whole job is therefore swept by ``survivors``.
        n_forward: Forward passes of searching the control, which stand in no row.
        n_backward: Backward passes, likewise.
    """

    samples: int
    disagreement: float
    fell_back: bool
    n_forward: int
    n_backward: int


def control_sample(samples: int, seed: int) -> Int64[Tensor, " m"]:
    """The positions of the control, ascending; empty where it would cost more than it saves.

    Args:
        samples: The number of samples in the run.
        seed: The seed of the run.
    """
    size = max(SMALLEST, round(SHARE * samples))
    if 2 * size > samples:
        return torch.empty(0, dtype=torch.int64)
    generator = np.random.default_rng(key_of("control", seed) % 2**63)
    return torch.from_numpy(np.sort(generator.choice(samples, size, replace=False)))


def disagreement(thorough: Broken, search: Broken) -> float:
    """The most, over the grid, by which a search claims more robust accuracy, in points.

    Args:
        thorough: What ``survivors`` found broken, per sample and grid ε.
        search: What ``search`` found, for the same samples.
    """
    claimed = thorough.double().mean(0) - search.double().mean(0)
    return round(100 * claimed.max().item(), 4)
