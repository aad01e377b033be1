"""Sweep strategies: in which order a sample meets the radii of the grid, and when it is decided.

A strategy is stateless and works on whole batches: for every sample the smallest grid index at which it is
known to break and the index just tried give the next one. Index 0 is ε = 0, which the clean prediction
decides.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.registry import suggest

Indices = Int64[Tensor, " n"]
DECIDED = -1
"""The next index of a sample about which nothing more is asked."""


class Strategy(ABC):
    """An order of attempts over a grid.

    Attributes:
        name: What the user types.
        each_epsilon_alone: A success counts at its own ε only, and an attempt that follows gradients is
            judged at its last iterate, as other tools do; random images, which do not follow each other, all
            count. Otherwise any iterate may succeed, and a success counts at every grid ε not smaller than
            the measured distance of the image found.
        brief_first: At every ε the native engine first tries a few long steps, from the image found last
            where there is one. The first image found is moreover pulled back.
    """

    name: str
    each_epsilon_alone: ClassVar[bool] = False
    brief_first: ClassVar[bool] = False

    @abstractmethod
    def first(self, points: int) -> int:
        """The index every sample meets first; ``points`` is the size of the grid, 0 included."""

    @abstractmethod
    def following(self, tried: Indices, breaks: Indices, points: int) -> Indices:
        """The next index of each sample, or :data:`DECIDED`.

        Args:
            tried: The index just tried; below ``breaks`` where the attempt failed.
            breaks: The smallest index at which the sample is known to break; ``points`` where none is.
            points: The size of the grid.
        """


class Independent(Strategy):
    """Every ε anew for every sample, judged at the last iterate, as the paper and other tools do."""

    name = "independent"
    each_epsilon_alone = True

    def first(self, points: int) -> int:
        return 1

    def following(self, tried: Indices, breaks: Indices, points: int) -> Indices:
        return torch.where(tried + 1 < points, tried + 1, DECIDED)


class Survivors(Strategy):
    """Ascending: a sample broken at some ε is broken at every larger one. Never assumes anything else."""

    name = "survivors"

    def first(self, points: int) -> int:
        return 1

    def following(self, tried: Indices, breaks: Indices, points: int) -> Indices:
        return torch.where((breaks == points) & (tried + 1 < points), tried + 1, DECIDED)


class Search(Strategy):
    """Descending from the largest ε until so many failures in a row: failures cost, and successes little.

    Assumes that who survives that many neighbouring ε survives every smaller one, which masked gradients can
    violate; `auto` checks.

    Args:
        patience: The failures in a row that end it.
    """

    brief_first = True

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.name = "search" if patience == 1 else f"search{patience}"

    def first(self, points: int) -> int:
        return points - 1

    def following(self, tried: Indices, breaks: Indices, points: int) -> Indices:
        lower = torch.minimum(tried, breaks) - 1
        return torch.where((breaks - lower <= self.patience) & (lower > 0), lower, DECIDED)


SEARCHES = (Search(1), Search(2), Search(3))
"""The searches, the cheapest first."""
STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy for strategy in (Independent(), Survivors(), *SEARCHES)
}

THOROUGH = Survivors.name
"""What a search is compared with, and what takes its place."""
AUTO = "auto"
"""The cheapest of :data:`SEARCHES` that a control subsample finds as thorough as `survivors`, else that."""


def get_strategy(name: str) -> Strategy:
    """The strategy called ``name``, which is not ``auto``."""
    return STRATEGIES[name]


def check_strategy(name: str) -> None:
    """Refuse an unknown strategy.

    Raises:
        UserError: It is neither ``auto`` nor one of :data:`STRATEGIES`.
    """
    if name not in (AUTO, *STRATEGIES):
        raise suggest("sweep strategy", name, (AUTO, *STRATEGIES))
