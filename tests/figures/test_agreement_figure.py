"""The agreement figure: what is drawn, whatever the names."""

from io import BytesIO
from itertools import combinations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from robbench.figures.agreement import draw_agreement
from robbench.figures.titles import defense_title

GRID = (0.0, 0.1, 0.2)
TOOLS = ("robbench run", "native", "foolbox", "art")


def draw(defenses: tuple[str, ...] = ("nsq",), tools: tuple[str, ...] = TOOLS) -> Figure:
    curves = [
        (defense, "pgd20", tool, epsilon, 1 - epsilon - 0.01 * number * (epsilon > 0))
        for defense in defenses
        for number, tool in enumerate(tools)
        for epsilon in GRID
    ]
    pairs = [
        (defense, "pgd20", first, second, 1.0 if second == "foolbox" else 0.9996)
        for defense in defenses
        for first, second in combinations(tools[1:], 2)
    ]
    return draw_agreement(
        pd.DataFrame(curves, columns=pd.Index(["defense", "attack", "tool", "epsilon", "robust_accuracy"])),
        pd.DataFrame(pairs, columns=pd.Index(["defense", "attack", "first", "second", "equal_share"])),
        "Digits, L∞",
        {defense: defense_title(defense) for defense in defenses},
        "L∞",
    )


def test_curves_differences_and_matrix() -> None:
    figure = draw()
    left, middle, right = figure.axes
    assert left.get_title(loc="left") == "NSQ: PGD, 20 steps"
    assert [list(line.get_ydata()) for line in left.lines][2] == pytest.approx([100, 88, 78])  # pyright: ignore[reportArgumentType]
    assert middle.get_title(loc="left") == "Points above native"
    # Whatever stands first: native is what the others are measured from.
    assert list(middle.lines[1].get_ydata()) == [0, 0, 0]  # pyright: ignore[reportArgumentType]
    assert list(middle.lines[3].get_ydata()) == pytest.approx([0, -2, -2])  # pyright: ignore[reportArgumentType]
    words = [text.get_text() for text in right.texts]
    assert sorted(words) == ["100", "100", "99.9", "99.9", "99.9", "99.9"]  # 99.96 is not everything
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(TOOLS)


@pytest.mark.parametrize("name", ["<script>", "../../x", "$x$", "é" * 300, ""])
def test_hostile_names_are_drawn(name: str) -> None:
    draw((name, "sq"), ("native", "foolbox", "art")).savefig(BytesIO(), format="png")
