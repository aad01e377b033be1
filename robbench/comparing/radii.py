"""The radii at which a comparison is shown."""

from robbench.epsilon import EpsilonUnit, parse_grid
from robbench.errors import UserError

_SAME = 1e-9


def choose_radii(at: str, grid: tuple[float, ...], unit: EpsilonUnit, where: str) -> tuple[float, ...]:
    """The radii asked for; without any 0, the grid's middle and its largest.

    Args:
        at: As typed, such as ``0.1,0.2`` or ``0,4/255,8/255``; empty for the choice above.
        grid: The radii that were compared, ascending.
        unit: The unit of ε.
        where: Whose grid it is, for the message.

    Raises:
        UserError: One is no radius, or not in the grid.
    """
    if not at:
        return tuple(dict.fromkeys((grid[0], grid[len(grid) // 2], grid[-1])))
    chosen = []
    for epsilon in parse_grid(at):
        near = min(grid, key=lambda point, wanted=epsilon: abs(point - wanted))
        if abs(near - epsilon) > _SAME:
            raise UserError(
                f"ε = {unit.format(epsilon)} is not in the grid of {where}.",
                f"The grid is {', '.join(map(unit.format, grid))}.",
            )
        chosen.append(near)
    return tuple(sorted(set(chosen)))
