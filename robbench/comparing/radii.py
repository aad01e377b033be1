"""The radii at which a comparison is shown."""

from collections.abc import Mapping
from typing import NamedTuple

from robbench.epsilon import EpsilonUnit, parse_grid
from robbench.errors import UserError
from robbench.figures.titles import printable

_SAME = 1e-9


class ShownRadii(NamedTuple):
    """The radii to show, by candidate."""

    by_candidate: dict[str, tuple[float, ...]]
    """Ascending; empty for one that has none of those asked for."""
    lacking: dict[str, list[str]]
    """Of the candidates that have not all that was asked for, what they lack, in sentences."""


def choose_radii(
    at: str, grids: Mapping[str, tuple[float, ...]], unit: EpsilonUnit, where: str, otherwise: str = ""
) -> ShownRadii:
    """The radii asked for; without any 0, the middle and the largest of each candidate's grid.

    Args:
        at: As typed, such as ``0.1,0.2`` or ``0,4/255,8/255``; empty for the choice above.
        grids: By candidate, the radii that were compared, ascending.
        unit: The unit of ε.
        where: Whose grids they are, for the message.
        otherwise: What else to do about a radius that is in none of them.

    Raises:
        UserError: One is no radius, or in no candidate's grid.
    """
    if not at:
        thirds = {name: (grid[0], grid[len(grid) // 2], grid[-1]) for name, grid in grids.items()}
        return ShownRadii({name: tuple(dict.fromkeys(radii)) for name, radii in thirds.items()}, {})
    if not at.strip(" ,"):
        raise UserError(f"--at {at!r} has no radius.", "Give radii of the grid such as --at 0,0.1,0.2.")
    every = sorted({epsilon for grid in grids.values() for epsilon in grid})
    asked = parse_grid(at)
    for epsilon in asked:
        if abs(_nearest(epsilon, every) - epsilon) > _SAME:
            raise UserError(
                f"ε = {unit.format(epsilon)} is not in the grid of {where}.",
                f"The grid is {', '.join(map(unit.format, every))}. {otherwise}".rstrip(),
            )
    wanted = {_nearest(epsilon, every) for epsilon in asked}
    lacking = {}
    for name, grid in grids.items():
        if missing := sorted(wanted.difference(grid)):
            lacking[name] = [
                f"{printable(name)} is not shown at ε = {', '.join(map(unit.format, missing))}: "
                f"it is compared at {', '.join(map(unit.format, grid))}."
            ]
    chosen = {name: tuple(sorted(wanted.intersection(grid))) for name, grid in grids.items()}
    return ShownRadii(chosen, lacking)


def _nearest(epsilon: float, grid: list[float]) -> float:
    """The radius of the grid that was meant, up to rounding."""
    return min(grid, key=lambda point: abs(point - epsilon))
