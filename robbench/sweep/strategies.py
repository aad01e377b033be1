"""Sweep strategies: in which order a sample meets the radii of the grid, and when it is decided.

A strategy is stateless and works on whole batches: for every sample the largest grid index it is known to
survive, the smallest at which it is known to break, and the index just tried give the next one. Index 0 is
ε = 0, which the clean prediction decides.
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
        each_epsilon_alone: A success counts at its own ε only, and an attempt is judged at its last iterate,
            as other tools do. Otherwise any iterate may succeed, and a success counts at every grid ε not
            smaller than the measured distance of the image found.
        warm_starts: After a success the native engine pulls the image found back, and starts the next,
            smaller ball from it.
    """

    name: ClassVar[str]
    each_epsilon_alone: ClassVar[bool] = False
    warm_starts: ClassVar[bool] = False

    @abstractmethod
    def first(self, points: int) -> int:
        """The index every sample meets first; ``points`` is the size of the grid, 0 included."""

    @abstractmethod
    def following(self, tried: Indices, survives: Indices, breaks: Indices, points: int) -> Indices:
        """The next index of each sample, or :data:`DECIDED`.

        Args:
            tried: The index just tried.
            survives: The largest index the sample is known to survive.
            breaks: The smallest index at which it is known to break; ``points`` where none is.
            points: The size of the grid.
        """


class Independent(Strategy):
    """Every ε anew for every sample, judged at the last iterate, as the paper and other tools do."""

    name = "independent"
    each_epsilon_alone = True

    def first(self, points: int) -> int:
        return 1

    def following(self, tried: Indices, survives: Indices, breaks: Indices, points: int) -> Indices:
        return torch.where(tried + 1 < points, tried + 1, DECIDED)


class Survivors(Strategy):
    """Ascending: a sample broken at some ε is broken at every larger one. Never assumes anything else."""

    name = "survivors"

    def first(self, points: int) -> int:
        return 1

    def following(self, tried: Indices, survives: Indices, breaks: Indices, points: int) -> Indices:
        return torch.where((breaks == points) & (tried + 1 < points), tried + 1, DECIDED)


class Search(Strategy):
    """Descending from the largest ε until the first failure: about one failure per sample, and failures cost.

    Assumes that who survives ε survives every smaller one, which masked gradients can violate; `auto` checks.
    """

    name = "search"
    warm_starts = True

    def first(self, points: int) -> int:
        return points - 1

    def following(self, tried: Indices, survives: Indices, breaks: Indices, points: int) -> Indices:
        return torch.where(breaks - 1 > survives, breaks - 1, DECIDED)


STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy for strategy in (Independent(), Survivors(), Search())
}

AUTO = "auto"
"""`search`, checked on a control subsample and replaced by `survivors` where that finds it wrong."""


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
