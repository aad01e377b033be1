"""Charts: what plotly is given are the numbers of the curves, in the lines of the figures."""

import plotly.graph_objects as go
import pytest

from robbench.figures.house_style import curve_styles
from robbench.reporting.charts import charts, legend
from robbench.reporting.line_styles import line_style
from tests.figures.made_up import CIFAR_GRID, made_up_curves

BASELINES = ("natural", "pgd-at", "sq", "nsq")


def test_values_intervals_and_words_are_those_of_the_curves() -> None:
    curves = made_up_curves(BASELINES, ("pgd100", "bpda100"))
    panels = curves.groupby("attack", sort=False)
    for chart, (_, panel) in zip(charts(curves, "L∞"), panels, strict=True):
        go.Figure(chart.figure)  # refuses what plotly does not know
        lines = [trace for trace in chart.figure["data"] if trace["mode"] == "lines+markers"]
        bands = [trace for trace in chart.figure["data"] if trace["mode"] == "lines"]
        for i, (name, curve) in enumerate(panel.groupby("defense", sort=False)):
            assert lines[i]["meta"]["defense"] == name
            assert lines[i]["x"] == pytest.approx(curve["epsilon"].tolist())
            for trace, column in [
                (lines[i], "robust_accuracy"),
                (bands[2 * i], "ci_low"),
                (bands[2 * i + 1], "ci_high"),
            ]:
                assert trace["y"] == pytest.approx((100 * curve[column]).tolist(), abs=1e-3)
            assert bands[2 * i + 1]["fill"] == "tonexty"
            assert f"{100 * curve['robust_accuracy'].iloc[-1]:.1f} % at ε = 0.3" in chart.description


def test_whole_255ths_are_an_axis_of_255ths() -> None:
    curves = made_up_curves(("nsq",), ("pgd20",), CIFAR_GRID, dataset="cifar10")
    figure = charts(curves, "L∞")[0].figure
    assert figure["data"][0]["x"] == list(range(9))
    assert figure["layout"]["xaxis"]["ticktext"] == ["0", "2/255", "4/255", "6/255", "8/255"]
    assert figure["layout"]["xaxis"]["tickvals"] == pytest.approx([0, 2, 4, 6, 8])
    stated = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert [(trace["x"], trace["y"]) for trace in stated] == [([8.0], [78.01])]


def test_one_point_is_a_chart_too() -> None:
    figure = charts(made_up_curves(("natural",), ("pgd20",), (0.0,)), "L∞")[0].figure
    assert figure["data"][-1]["x"] == [0.0]
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < 0 < high


def test_every_line_of_the_figures_has_its_own_in_a_browser() -> None:
    names = [*BASELINES, *(f"mine{i}" for i in range(40))]
    styles = [line_style(style) for style in curve_styles(names).values()]
    looks = {(style.light, style.dash, style.symbol) for style in styles}
    assert len(looks) == len(set(curve_styles(names).values()))
    for style in styles:
        go.Scatter(line={"dash": style.dash}, marker={"symbol": style.symbol})
        go.Scatter(marker={"symbol": f"{style.symbol}-open"})
    assert [line_style(style).dash for style in curve_styles(BASELINES).values()] == [
        "dot",
        "dash",
        "dashdot",
        "solid",
    ]


def test_lines_stand_out_from_dark_paper() -> None:
    curves = made_up_curves([*BASELINES, *(f"mine{i}" for i in range(30))], ("pgd20",))
    for entry in legend(curves):
        assert contrast(entry.style.dark, "#1c1f23") >= 3, entry  # WCAG 2.2, 1.4.11


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two hex colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
