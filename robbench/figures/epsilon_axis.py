"""The ε axis in the unit in which the field writes a grid: decimals or 255ths."""

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from robbench.epsilon import natural_unit

_STEPS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
"""Distances of ticks in 255ths."""
_INTERVALS = 4
_NARROW_INTERVALS = 2
"""Between ticks in 255ths of two digits, such as 12/255 and 16/255, in a narrow panel."""


def format_epsilon_axis(axes: Axes, epsilons: Iterable[float], *, is_narrow: bool = False) -> None:
    """Give the x axis its range and its ticks.

    Args:
        axes: The axes, x in pixel scale.
        epsilons: Every ε that is drawn.
        is_narrow: Whether five long labels have no place side by side.
    """
    points = sorted(set(epsilons))
    unit, largest = natural_unit(points), points[-1]
    if largest == 0:
        axes.set_xlim(-1, 1)
        axes.set_xticks([0], ["0"])
        return
    axes.set_xlim(-0.03 * largest, 1.03 * largest)
    if unit.denominator == 1:
        axes.xaxis.set_major_locator(MaxNLocator(_INTERVALS, steps=[1, 2, 5, 10]))
    else:
        most = _NARROW_INTERVALS if is_narrow and largest * 255 >= 10 else _INTERVALS
        step = next((step for step in _STEPS if largest * 255 / step <= most + 1e-9), _STEPS[-1])
        # None beyond the data: of a grid up to 1 the last would be 256/255, which no ε is.
        axes.set_xticks([k * step / 255 for k in range(int(largest * 255 / step + 1e-9) + 1)])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: unit.format(value) if value else "0"))
