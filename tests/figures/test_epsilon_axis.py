import pytest
from matplotlib.figure import Figure

from robbench.epsilon import natural_unit
from robbench.figures.epsilon_axis import format_epsilon_axis

WHOLE_255THS = tuple(k / 255 for k in range(9))
MNIST = tuple(0.025 * k for k in range(13))


@pytest.mark.parametrize(
    ("grid", "denominator"),
    [
        (WHOLE_255THS, 255),
        ((0.0, 8 / 255), 255),
        ((0.0, 1 / 255, 2 / 255, 4 / 255), 255),
        (tuple(0.5 * k / 255 for k in range(17)), 255),
        ((0.0, 16 / 255, 128 / 255), 255),
        (MNIST, 1),
        ((0.0, 0.3), 1),
        ((0.0, 0.1, 0.2), 1),
        ((0.0, 0.2), 1),  # 51/255, but nobody means that
        ((0.0, 1.0), 1),
        ((0.0, 0.01234), 1),
        ((0.0,), 1),
    ],
)
def test_the_unit_in_which_a_grid_reads_best(grid: tuple[float, ...], denominator: int) -> None:
    assert natural_unit(grid).denominator == denominator


@pytest.mark.parametrize(
    ("grid", "labels"),
    [
        (WHOLE_255THS, ["0", "2/255", "4/255", "6/255", "8/255"]),
        ((0.0, 1 / 255, 2 / 255, 4 / 255), ["0", "1/255", "2/255", "3/255", "4/255"]),
        ((0.0, 1 / 255), ["0", "0.25/255", "0.5/255", "0.75/255", "1/255"]),
        (tuple(k / 255 for k in range(0, 65, 8)), ["0", "16/255", "32/255", "48/255", "64/255"]),
        ((0.0, 1 / 255, 1.0), ["0", "64/255", "128/255", "192/255"]),
        (MNIST, ["0", "0.1", "0.2", "0.3"]),
        ((0.0, 1.0), ["0", "0.5", "1"]),
        ((0.0,), ["0"]),
    ],
)
def test_ticks_are_round_in_that_unit(grid: tuple[float, ...], labels: list[str]) -> None:
    axes = Figure().add_subplot()
    format_epsilon_axis(axes, grid)
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    assert [label.get_text() for tick, label in ticks if low <= tick <= high] == labels


@pytest.mark.parametrize(
    ("largest", "labels"),
    [(8, ["0", "2/255", "4/255", "6/255", "8/255"]), (16, ["0", "8/255", "16/255"])],
)
def test_a_narrow_axis_has_fewer_of_the_long_labels(largest: int, labels: list[str]) -> None:
    axes = Figure().add_subplot()
    format_epsilon_axis(axes, [k / 255 for k in range(largest + 1)], is_narrow=True)
    assert [label.get_text() for label in axes.get_xticklabels()] == labels
