"""Interactive curves: the panels of the curves figure as plotly takes them."""

from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from robbench.epsilon import EpsilonUnit, natural_unit
from robbench.figures.curve_panel import panel_texts, panels_of
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.house_style import curve_styles
from robbench.figures.paper_points import points_of
from robbench.figures.titles import defense_titles
from robbench.reporting.line_styles import LineStyle, line_style

_BAND = 0.16
"""Opacity of a 95 % band."""


@dataclass(frozen=True)
class Chart:
    """The curves of one attack.

    Attributes:
        title: The attack.
        details: Sentences: steps, loss, samples and the like.
        description: The curves in words, for who cannot see them.
        figure: ``data`` and ``layout`` for plotly; a trace's ``meta`` says whose it is and in which colours.
    """

    title: str
    details: list[str]
    description: str
    figure: dict[str, Any]


@dataclass(frozen=True)
class LegendEntry:
    """A defense that can be switched on and off.

    Attributes:
        name: Its name, which is also its traces' ``meta["defense"]``.
        title: Its name as it is shown.
        style: Its line.
    """

    name: str
    title: str
    style: LineStyle


def legend(curves: pd.DataFrame) -> list[LegendEntry]:
    """The defenses of some curves, columns as in :data:`robbench.schema.CURVES`."""
    titles = defense_titles(curves)
    return [
        LegendEntry(name, titles[name], line_style(style))
        for name, style in curve_styles(curves["defense"]).items()
    ]


def charts(curves: pd.DataFrame, norm: str) -> list[Chart]:
    """A chart for each attack.

    Args:
        curves: Of one dataset, norm and criterion; columns as in :data:`robbench.schema.CURVES`.
        norm: The norm's symbol.
    """
    entries = {entry.name: entry for entry in legend(curves)}
    unit = natural_unit(curves["epsilon"])
    layout = _layout(curves, unit, norm)
    return [_chart(panel, entries, unit, layout) for panel in panels_of(curves)]


def _chart(
    panel: pd.DataFrame, entries: dict[str, LegendEntry], unit: EpsilonUnit, layout: dict[str, Any]
) -> Chart:
    title, *details = panel_texts(panel)
    traces, words = [], []
    for name, points in panel.groupby("defense", sort=False):
        entry, curve = entries[str(name)], points.sort_values("epsilon")
        traces += _traces(curve, entry, unit)
        first, last = curve.iloc[0], curve.iloc[-1]
        words.append(
            f"{entry.title} {_percent(first.robust_accuracy)} % at ε = {unit.format(first.epsilon)}, "
            f"{_percent(last.robust_accuracy)} % at ε = {unit.format(last.epsilon)}"
        )
    description = f"Accuracy over ε under {title}. {'; '.join(words)}. Every number is in the table below."
    return Chart(title, details, description, {"data": traces, "layout": layout})


def _traces(curve: pd.DataFrame, entry: LegendEntry, unit: EpsilonUnit) -> list[dict[str, Any]]:
    """The band's two edges, the curve, and what the paper states of it."""
    style = entry.style
    meta = {"defense": entry.name, "light": style.light, "dark": style.dark}
    # Names are data: plotly takes what looks like a tag for one.
    shared = {"type": "scatter", "meta": meta, "name": escape(entry.title), "showlegend": False}
    x = [_on_axis(epsilon, unit) for epsilon in curve["epsilon"]]
    low, y, high = (
        [round(100 * value, 4) for value in curve[column]]
        for column in ("ci_low", "robust_accuracy", "ci_high")
    )
    edge = {**shared, "x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    fill = _transparent(style.light)
    band = [{**edge, "y": low}, {**edge, "y": high, "fill": "tonexty", "fillcolor": fill}]
    line = {
        **shared,
        "x": x,
        "y": y,
        "mode": "lines+markers",
        "line": {"color": style.light, "dash": style.dash, "width": 2},
        "marker": {"color": style.light, "symbol": style.symbol, "size": 7},
        "customdata": [f"{a:.1f} – {b:.1f}" for a, b in zip(low, high, strict=True)],
        "hovertemplate": "%{y:.1f} % (%{customdata})",
    }
    return [*band, line, *(_stated(point, shared, style, unit) for point in points_of(curve))]


def _stated(point: Any, shared: dict[str, Any], style: LineStyle, unit: EpsilonUnit) -> dict[str, Any]:
    return {
        **shared,
        "x": [_on_axis(point.epsilon, unit)],
        "y": [100 * point.accuracy],
        "mode": "markers",
        "marker": {"color": style.light, "symbol": f"{style.symbol}-open", "size": 13},
        "hovertemplate": "%{y:.2f} %, stated in the SQ paper (2019)",
    }


def _layout(curves: pd.DataFrame, unit: EpsilonUnit, norm: str) -> dict[str, Any]:
    axes = Figure().add_subplot()
    format_epsilon_axis(axes, curves["epsilon"])
    low, high = axes.get_xlim()
    ticks = [float(tick) for tick in axes.get_xticks() if 0 <= tick <= high]
    axis = {"fixedrange": True, "zeroline": False, "automargin": True, "ticks": ""}
    return {
        "autosize": True,
        "height": 290,
        "margin": {"l": 44, "r": 12, "t": 10, "b": 44},
        "hovermode": "x unified",
        "hoverdistance": -1,  # of the nearest ε, however far it is
        "dragmode": False,
        "showlegend": False,
        "xaxis": {
            **axis,
            "title": {"text": f"Perturbation ε ({escape(norm)}, pixels in [0, 1])", "standoff": 10},
            "range": [low * unit.denominator, high * unit.denominator],
            "tickvals": [tick * unit.denominator for tick in ticks],
            "ticktext": [unit.format(tick) for tick in ticks],
            "hoverformat": ".6~g",
            "spikethickness": 1,
            "spikedash": "solid",
            "unifiedhovertitle": {"text": f"ε = %{{x}}{'' if unit.denominator == 1 else '/255'}"},
        },
        "yaxis": {
            **axis,
            "title": {"text": "Accuracy (%)", "standoff": 6},
            "range": [-3, 103],
            "tickvals": list(range(0, 101, 20)),
        },
    }


def _on_axis(epsilon: float, unit: EpsilonUnit) -> float:
    """ε in its unit, without what rounding left at the end."""
    return float(f"{epsilon * unit.denominator:.9g}")


def _transparent(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {_BAND})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
