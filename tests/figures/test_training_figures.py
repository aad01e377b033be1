"""The two figures of trainings: robust accuracy against cost, and a panel for each defense."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.legend import Legend

from robbench.figures.defense_panels import draw_defense_panels
from robbench.figures.titles import without_collapse
from robbench.figures.training_cost import draw_training_cost

from .made_up import made_up_curves

NAMES = ["natural", "pgd-at", "fast-at", "nsq", "<script>alert(1)</script>"]


def cost_table() -> pd.DataFrame:
    shares = [0.0, 0.4, 0.1, 0.2, 0.3]
    return pd.DataFrame(
        {
            "defense": NAMES,
            "title": ["Natural", "PGD-AT", "FAST-AT (collapsed)", "NSQ", NAMES[-1]],
            "worst_of": shares,
            "ci_low": [max(share - 0.05, 0) for share in shares],
            "ci_high": [share + 0.05 for share in shares],
            "each": [(share,) for share in shares],
            "passes": [6e5, 6.6e6, 1.2e6, 6e5, 1.2e6],
            "has_layer": [False, False, False, True, False],
            "collapsed": [False, False, True, False, False],
            "recovered": False,
            "remark": ["", "", "collapsed", "", ""],
        }
    )


def curve_points() -> pd.DataFrame:
    curves = made_up_curves(NAMES, ["bpda20"]).assign(kind="curve", remark="", has_layer=False)
    curves.loc[curves["defense"] == "fast-at", "remark"] = "collapsed"
    largest = curves.loc[curves["epsilon"] == curves["epsilon"].max()].assign(kind="strongest")
    return pd.concat([curves, largest], ignore_index=True).assign(title=lambda table: table["defense"])


def test_every_defense_is_named_where_its_cost_is():
    (axes,) = draw_training_cost({"Digits": cost_table()}, "pgd-at", "Cost").axes
    texts = {text.get_text(): text for text in axes.texts}
    assert set(texts) == {"Natural", "PGD-AT", "FAST-AT, collapsed", "NSQ", NAMES[-1]}
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert sorted(float(np.asarray(line.get_ydata())[0]) for line in marks) == pytest.approx(
        [0, 10, 20, 30, 40]
    )
    crosses = [line for line in marks if line.get_marker() == "X"]
    assert [float(np.asarray(line.get_ydata())[0]) for line in crosses] == pytest.approx([10])
    yardstick = next(line for line in marks if line.get_marker() == "s")
    assert 10 ** float(np.asarray(yardstick.get_xdata())[0]) == pytest.approx(6.6e6)


def test_every_mark_stands_at_its_cost():
    (axes,) = draw_training_cost({"Digits": cost_table()}, "pgd-at", "Cost").axes
    places = [float(np.asarray(line.get_xdata())[0]) for line in axes.lines if line.get_linestyle() == "None"]
    assert 10 ** np.array(places) == pytest.approx(cost_table()["passes"].to_numpy())


def test_each_of_several_trainings_has_a_dash_beside_their_mean():
    table = cost_table()
    table["each"] = [(share,) if share != 0.4 else (0.35, 0.45) for share in table["worst_of"]]
    figure = draw_training_cost({"Digits": table, "more": cost_table()}, "pgd-at", "Cost")
    dashes = [[line for line in axes.lines if line.get_marker() == "_"] for axes in figure.axes]
    assert [len(lines) for lines in dashes] == [1, 0]
    assert np.asarray(dashes[0][0].get_ydata()) == pytest.approx([35, 45])
    words = "each of several trainings"
    drawn = (figure, draw_training_cost({"Digits": cost_table()}, "pgd-at", "Cost"))
    legends = [legend for figure in drawn for legend in figure.findobj(Legend)]
    assert [words in {text.get_text() for text in legend.get_texts()} for legend in legends] == [True, False]


def test_what_a_reader_must_know_stands_below():
    figure = draw_training_cost({"Digits": cost_table()}, "pgd-at", "Cost", ["One epoch each."])
    assert "One epoch each." in {text.get_text() for part in figure.subfigs for text in part.texts}


def test_a_setting_is_a_panel():
    assert len(draw_training_cost({"a": cost_table(), "b": cost_table()}, "pgd-at", "Cost").axes) == 2


def test_every_defense_but_the_reference_has_a_panel():
    figure = draw_defense_panels({"MNIST": curve_points()}, "pgd-at", "Curves")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [n for n in NAMES if n != "pgd-at"]
    remarks = [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]
    assert remarks == ["collapsed"]
    for axes in figure.axes:
        assert sum(line.get_marker() == "D" for line in axes.lines) == 2, "its own and the reference's"
        assert sum(isinstance(part, LineCollection) for part in axes.collections) == 1


def test_the_mark_of_a_collapse_can_be_taken_off():
    assert without_collapse("FAST-AT (collapsed)") == "FAST-AT"
    assert without_collapse("FAST-AT") == "FAST-AT"
