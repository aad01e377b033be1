"""The control of a search: does the shortcut claim robustness that the thorough way does not find?

Searching assumes that a sample which survives some ε survives every smaller one. Masked gradients and the
luck of random starts violate that, so a seeded subsample is swept by ``survivors`` and then by one search
after another, the cheapest first. The first that claims no more is good for the rest of the job; where none
is, the rest goes the thorough way too.

What is compared is the net number of samples at each ε, so that of few samples not one may be missing: at
256 samples, 0.2 points are half a sample. Both sweeps draw the same random starts, so a difference comes from
what the search leaves out, and not from drawing anew. Attacks of libraries draw by who shares the call: they
have no control, and are swept by ``survivors``.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from robbench.randomness import key_of
from robbench.sweep.strategies import SEARCHES, THOROUGH, Strategy

Broken = Bool[Tensor, "n points"]
SMALLEST = 256
"""Samples in the control at least. One net sample is then more than :data:`TOLERATED` allows."""
SHARE = 0.05
"""The control's share of a large dataset."""
TOLERATED = 0.2
"""Points of accuracy that the search may claim beyond the thorough sweep, at any ε."""


@dataclass(frozen=True)
class ControlResult:
    """What the control has found so far.

    Attributes:
        samples: Its size.
        strategy: The strategy that it came to; empty while undecided.
        disagreements: By the name of every search tried: the most, over the grid, by which its robust
            accuracy on the control exceeds that of ``survivors``, in points (percent); negative where it is
            lower everywhere.
        disagreement: That of the last search tried.
        fell_back: Whether no search was good enough, so that the whole job is swept by ``survivors``.
        n_forward: Forward passes of searching the control, which stand in no row.
        n_backward: Backward passes, likewise.
    """

    samples: int
    strategy: str = ""
    disagreements: dict[str, float] = field(default_factory=dict)
    disagreement: float = 0.0
    fell_back: bool = False
    n_forward: int = 0
    n_backward: int = 0

    def untried(self) -> list[Strategy]:
        """The searches that may still be tried, the cheapest first; none once decided."""
        return [search for search in SEARCHES if not self.strategy and search.name not in self.disagreements]

    def with_search(self, name: str, points: float, passes: tuple[int, int]) -> "ControlResult":
        """The result after one more search.

        Args:
            name: Its name.
            points: By how much it disagrees.
            passes: The forward and backward passes it took.
        """
        agrees, is_last = points <= TOLERATED, name == SEARCHES[-1].name
        return replace(
            self,
            strategy=name if agrees else THOROUGH if is_last else "",
            disagreements={**self.disagreements, name: points},
            disagreement=points,
            fell_back=is_last and not agrees,
            n_forward=self.n_forward + passes[0],
            n_backward=self.n_backward + passes[1],
        )


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
