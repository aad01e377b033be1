"""The control of a search: does the shortcut claim robustness that the thorough way does not find?

Searching assumes that a sample which survives ε survives every smaller one. Masked gradients can violate
that, so a seeded subsample is swept both ways, and where the search claims more the whole job goes the
thorough way.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.randomness import key_of
from robbench.sweep.outcomes import Findings

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
    """

    samples: int
    disagreement: float
    fell_back: bool


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


def compare(thorough: list[Findings], search: list[Findings]) -> ControlResult:
    """Compare the same samples swept both ways.

    Args:
        thorough: What ``survivors`` found, window by window.
        search: What ``search`` found, likewise.
    """
    by_thorough = torch.cat([findings.broken for findings in thorough])
    by_search = torch.cat([findings.broken for findings in search])
    claimed = by_thorough.double().mean(0) - by_search.double().mean(0)
    disagreement = round(100 * claimed.max().item(), 4)
    return ControlResult(len(by_thorough), disagreement, disagreement > TOLERATED)


def merged(thorough: Findings, search: Findings) -> Findings:
    """All that two sweeps of the same samples found, and what both cost."""
    closer = search.distance < thorough.distance
    return Findings(
        broken=thorough.broken | search.broken,
        distance=torch.where(closer, search.distance, thorough.distance),
        prediction=torch.where(closer, search.prediction, thorough.prediction),
        n_forward=thorough.n_forward + search.n_forward - 1,  # both count the one clean pass
        n_backward=thorough.n_backward + search.n_backward,
    )
