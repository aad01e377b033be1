"""Where on a grid of ε an accepted adversarial image counts."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from robbench.tensors import PerSample
from robbench.threat import TOLERANCE


class Reach(NamedTuple):
    """Where images count."""

    smallest: Int64[Tensor, " n"]
    """The smallest grid index of each."""
    broken: Bool[Tensor, "n points"]
    """All grid points at which it does."""


def reach(
    grid: Float32[Tensor, " points"], tried: Int64[Tensor, " n"], distance: PerSample, alone: bool
) -> Reach:
    """Where images count that the judge accepted.

    Args:
        grid: The radii, ascending, the first of them 0: there the clean prediction decides, and no image.
        tried: The grid index at which each image was looked for.
        distance: How far each is from its sample.
        alone: Whether it counts at that index only, and not at every ε that is no smaller than its distance.
    """
    points = torch.arange(len(grid), device=grid.device)
    if alone:
        return Reach(tried, points == tried.unsqueeze(1))
    smallest = torch.searchsorted(grid, distance - TOLERANCE).clamp_min(1)
    return Reach(smallest, points >= smallest.unsqueeze(1))
