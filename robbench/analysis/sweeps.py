"""Whether curves of different runs were swept alike: only then is their difference the defenses'."""

from dataclasses import dataclass
from itertools import takewhile

from robbench.analysis.protocols import PAPER, protocol_of
from robbench.schema import MINIMUM_NORM


@dataclass(frozen=True)
class Sweep:
    """How a curve came about.

    Attributes:
        run: The folder of its run.
        command: The command that made the run; empty where it is not known.
        strategy: As the curve has it: ``independent``, ``auto: search+auto: survivors``.
        epsilons: The run's whole grid, ascending from 0.
        ingredients: What the attack was made of beside robbench, and its SHA-256, as the run recorded it: the
            source's weights of a transfer attack, the code of another package's.
        samples: How many were attacked.
    """

    run: str
    command: str
    strategy: str
    epsilons: tuple[float, ...]
    ingredients: tuple[tuple[str, str], ...] = ()
    samples: int = 0

    @property
    def asked(self) -> str:
        """The strategy that the run was asked for."""
        return self.strategy.split("+")[0].partition(": ")[0]

    @property
    def used(self) -> frozenset[str]:
        """The strategies that it came to."""
        return frozenset(part.rpartition(": ")[2] for part in self.strategy.split("+"))


def comparable_radii(first: Sweep, second: Sweep) -> tuple[float, ...]:
    """The radii at which two curves under one attack can be compared, of those that both have.

    All of them within one run, where every ε was attacked by itself, and where one run of the attack fills
    the whole curve. Otherwise a sample at ε has also met the attack at other radii of the grid, by
    ``survivors`` at the smaller ones, by a search at the larger ones too: these must then be the same. At ε
    = 0 there is no attack.
    """
    common = tuple(epsilon for epsilon in first.epsilons if epsilon in second.epsilons)
    used = first.used | second.used
    protocols = {protocol_of(strategy) for strategy in used}
    if first.run == second.run or MINIMUM_NORM in used or protocols == {PAPER}:
        return common
    if PAPER in protocols:
        return common[:1]
    if first.epsilons == second.epsilons:
        return common
    if used != {"survivors"}:
        return common[:1]
    pairs = zip(first.epsilons, second.epsilons, strict=False)
    return tuple(epsilon for epsilon, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def differing_ingredients(first: Sweep, second: Sweep) -> list[str]:
    """What two attacks of one name are known to be made of differently; then they are two attacks."""
    known = dict(first.ingredients)
    return [name for name, value in second.ingredients if known.get(name, value) != value]


def swept_unlike(first: Sweep, second: Sweep) -> bool:
    """Whether one of two comparable curves comes from a sweep that may find more than the other's.

    Within one run, too: ``auto`` chooses for each defense.
    """
    return first.used != second.used and MINIMUM_NORM not in first.used | second.used
