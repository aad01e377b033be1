import itertools
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from robbench.errors import UserError
from robbench.figures import figures
from robbench.figures.end_labels import spread
from robbench.figures.rendering import FORMATS, render
from tests.figures.made_up import CIFAR_GRID, MNIST_GRID, made_up_curves

FOUR = ["natural", "pgd-at", "sq", "nsq"]
PAPERS_ATTACKS = ["pgd100", "bpda100-substitute", "pgd100-cw", "bpda100-substitute-cw"]
TWELVE = [
    *("pgd20", "bpda20", "bpda20-substitute", "pgd20-cw", "pgd20@foolbox:restarts=5", "square@torchattacks"),
    *(
        "apgd100-dlr@torchattacks",
        "autoattack",
        "fgsm",
        "noise",
        "transfer:source=natural",
        "hopskipjump@art",
    ),
]
HOSTILE = [
    "<script>alert(1)</script>",
    "$\\frac{1}{$",
    "../../etc/passwd",
    "_hidden",
    "two\nlines",
    "x" * 300,
    "%s {0}",
]
CASES = {
    "papers": made_up_curves(FOUR, PAPERS_ATTACKS),
    "one": made_up_curves(["nsq"], ["pgd100"]),
    "twelve attacks": made_up_curves(FOUR, TWELVE, CIFAR_GRID, n=10_000, dataset="cifar10"),
    "thirteen defenses": made_up_curves([*FOUR, *(f"mine{i}.build" for i in range(9))], PAPERS_ATTACKS[:3]),
    "hostile names": made_up_curves(HOSTILE, ["pgd100", "bpda100"]),
    "hostile attack": made_up_curves(["nsq"], ["$\\frac{$", "z" * 300], dataset="$_^"),
    "two points": made_up_curves(["natural", "nsq"], ["pgd100", "bpda100"], (0.0, 0.3), n=360),
    "clean only": made_up_curves(["natural", "nsq"], ["pgd100"], (0.0,)),
}


def drawn(name: str) -> Figure:
    figure = figures.get("curves")(CASES[name])
    FigureCanvasAgg(figure).draw()
    return figure


def visible_texts(figure: Figure) -> list[Text]:
    """Every text on the page; tick labels outside an axis's range are not drawn."""
    undrawn = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        undrawn |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in undrawn]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text and where it stands, in pixels."""
    return [(text.get_text(), text.get_window_extent()) for text in visible_texts(figure)]


@pytest.mark.parametrize("name", CASES)
def test_no_two_texts_overlap_and_none_leaves_the_page(name: str) -> None:
    figure = drawn(name)
    found, page = boxes(figure), figure.bbox.padded(2)
    for text, box in found:
        assert page.contains(box.x0, box.y0), text
        assert page.contains(box.x1, box.y1), text
    for (text, box), (other, other_box) in itertools.combinations(found, 2):
        shared = Bbox.intersection(box, other_box)
        # Boxes include the room for descenders; two pixels of it may be shared.
        overlap = shared is not None and min(shared.width, shared.height) > 2
        assert not overlap, f"{text!r} and {other!r}"


def test_curves_lie_where_the_table_says() -> None:
    figure = drawn("papers")
    assert len(figure.axes) == 4
    for axes, attack in zip(figure.axes, PAPERS_ATTACKS, strict=True):
        lines = [line for line in axes.get_lines() if np.size(line.get_xdata()) == 13]
        assert len(lines) == len(axes.collections) == 4
        for line, defense in zip(lines, FOUR, strict=True):
            curves = CASES["papers"]
            table = curves[(curves["attack"] == attack) & (curves["defense"] == defense)]
            assert np.asarray(line.get_xdata()) == pytest.approx(MNIST_GRID)
            assert np.asarray(line.get_ydata()) == pytest.approx(np.asarray(table["robust_accuracy"]) * 100)


def test_bands_reach_from_end_to_end_of_the_interval() -> None:
    figure, table = drawn("one"), CASES["one"]
    (band,) = figure.axes[0].collections
    heights = np.asarray(band.get_paths()[0].vertices)[:, 1]
    assert heights.max() == pytest.approx(table["ci_high"].max() * 100)
    assert heights.min() == pytest.approx(table["ci_low"].min() * 100)


def test_a_single_point_has_its_interval() -> None:
    figure, table = drawn("clean only"), CASES["clean only"]
    ends = [np.asarray(bar.get_paths()[0].vertices)[:, 1].tolist() for bar in figure.axes[0].collections]
    assert ends == [
        [100 * low, 100 * high] for low, high in zip(table["ci_low"], table["ci_high"], strict=True)
    ]


def test_the_papers_values_are_hollow_marks() -> None:
    figure = drawn("papers")
    marks = [
        [np.asarray(line.get_ydata())[0] for line in axes.get_lines() if line.get_markerfacecolor() == "none"]
        for axes in figure.axes
    ]
    assert marks == [[pytest.approx(98.49)], [pytest.approx(87.32)], [], []]
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["Natural", "PGD-AT", "SQ", "NSQ", "stated in the SQ paper (2019)"]
    (without,) = drawn("clean only").legends
    assert [text.get_text() for text in without.get_texts()] == ["Natural", "NSQ"]


def test_a_panel_says_what_it_shows() -> None:
    texts = [text for text, _ in boxes(drawn("papers"))]
    assert "100 steps, cross-entropy, n\u00a0=\u00a01,000" in texts
    shared = "\nNatural, PGD-AT: no such layer, so this is PGD"
    assert f"100 steps, CW∞ loss, n\u00a0=\u00a01,000{shared}" in texts


def test_different_numbers_of_samples_are_said() -> None:
    few, many = (made_up_curves([name], ["pgd100"], n=n) for name, n in [("nsq", 360), ("natural", 10_000)])
    figure = figures.get("curves")(pd.concat([few, many]))
    text = (
        " ".join(text.get_text() for text in visible_texts(figure)).replace("\u00a0", " ").replace("\n", " ")
    )
    assert "n differs: 360 to 10,000" in text


def test_names_are_drawn_as_they_are() -> None:
    texts = [text for text, _ in boxes(drawn("hostile names"))]
    for name in ["<script>alert(1)</script>", "$\\frac{1}{$", "_hidden", "two lines", "%s {0}"]:
        assert name in texts


@pytest.mark.parametrize("format", FORMATS)
def test_equal_curves_give_equal_bytes(tmp_path: Path, format: str) -> None:
    for name in ("a", "b"):
        render(figures.get("curves")(CASES["papers"]), tmp_path / name, format)
    content = (tmp_path / "a").read_bytes()
    assert content == (tmp_path / "b").read_bytes()
    assert content.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[format])


def test_equal_curves_give_equal_bytes_in_another_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from robbench.figures import figures\n"
        "from robbench.figures.rendering import render; from tests.figures.made_up import made_up_curves\n"
        "curves = made_up_curves(['natural', 'mine.build'], ['pgd100'])\n"
        "render(figures.get('curves')(curves), pathlib.Path(sys.argv[1]), 'svg')"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        environment = {"PYTHONHASHSEED": seed, "MPLCONFIGDIR": str(tmp_path)}
        subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, check=True)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'gif'"):
        render(Figure(), tmp_path / "x.gif", "gif")
    assert not list(tmp_path.iterdir())


def test_twelve_panels_take_seconds(tmp_path: Path) -> None:
    began = time.perf_counter()
    render(figures.get("curves")(CASES["twelve attacks"]), tmp_path / "x.png", "png")
    assert time.perf_counter() - began < 20


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8).map(sorted))
def test_labels_are_spread_without_crossing_and_no_more_than_needed(heights: list[float]) -> None:
    placed = spread(heights, 6.0)
    assert placed[0] >= 0
    assert placed[-1] <= 100
    assert all(b - a >= 6 - 1e-9 for a, b in itertools.pairwise(placed))
    if all(b - a >= 6 for a, b in itertools.pairwise(heights)):
        assert placed == pytest.approx(heights)


def test_a_number_at_the_right_edge_is_the_accuracy_there() -> None:
    whole = made_up_curves(["natural"], ["pgd100"])
    short = made_up_curves(["nsq"], ["bpda100"]).loc[lambda points: points["epsilon"] < 0.2]
    panels = figures.get("curves")(pd.concat([whole, short], ignore_index=True)).axes
    numbers = [[text.get_text() for text in axes.texts if text.get_position()[0] == 1.02] for axes in panels]
    assert [len(found) for found in numbers] == [1, 0]


def test_the_legend_prints_titles_and_so_marks_collapsed_trainings():
    curves = made_up_curves(["fast-at", "natural"], ["pgd100"])
    titles = ["FAST-AT (collapsed)" if name == "fast-at" else name for name in curves["defense"]]
    figure = figures.get("curves")(curves.assign(title=titles))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["FAST-AT (collapsed)", "Natural"]


def test_many_bands_upon_each_other_leave_the_curves_to_be_seen() -> None:
    def opacity(name: str) -> list[float | None]:
        return [band.get_alpha() for band in drawn(name).axes[0].collections]

    four, many = opacity("papers"), opacity("thirteen defenses")
    assert len(many) == 13
    assert 1 - math.prod(1 - (alpha or 0) for alpha in many) < 0.75, "together they hide what lies below"
    assert four == opacity("one") * 4, "of a few each is as ever"
