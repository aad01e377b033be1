"""The audit figure: accuracy under every attack and under the worst of all, beside the checks."""

from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from robbench.analysis.worst_of import WORST_OF
from robbench.figures.curve_line import draw_accuracy, legend_line
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.house_style import CurveStyle, house_style
from robbench.figures.titles import norm_title, printable

_WIDTH, _HEIGHT = 7.4, 3.6
_CHECK_HEIGHT = 0.185
"""Inches for one line of the list."""


class _Kind(NamedTuple):
    """How the attacks of one kind are drawn."""

    title: str
    style: CurveStyle


_KINDS = {
    "white-box": _Kind("white-box: the exact gradient", CurveStyle("#0072B2", "-", "o")),
    "stand-in": _Kind("a stand-in's gradient", CurveStyle("#D55E00", "--", "D")),
    "transfer": _Kind("transferred images", CurveStyle("#009E73", "-.", "^")),
    "black-box": _Kind("black-box: Square", CurveStyle("#CC79A7", (0, (5, 1, 1, 1)), "s")),
    "noise": _Kind("random noise", CurveStyle("#999999", ":", "v")),
}
_WORST = _Kind("worst of all, with its 95 % band", CurveStyle("#000000", "-", ""))
_BAND, _WORST_WIDTH, _WIDTH_OF_LINE, _MARKER = 0.13, 2.4, 1.1, 3.4
_VERDICTS = {"fail": ("✘", "#D55E00"), "inconclusive": ("?", "#666666"), "pass": ("✔", "#0072B2")}


def draw_audit(curves: pd.DataFrame, checks: list[tuple[str, str]], title: str) -> Figure:
    """Draw an audit.

    Args:
        curves: Of one defense, worst-of included: columns as in :data:`robbench.schema.CURVES`.
        checks: The verdict of each check, and what should hold.
        title: What was audited, in words.
    """
    with house_style():
        height = max(_HEIGHT, _CHECK_HEIGHT * len(checks) + 0.9)
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
        kinds = _draw_curves(left, curves)
        _draw_checks(right, checks)
        figure.suptitle(f"{printable(title)}: audit", fontsize=10.5)
        figure.legend(handles=_legend(kinds), loc="outside lower center", ncols=3, handlelength=3.2)
        return figure


def _draw_curves(axes: Axes, curves: pd.DataFrame) -> list[str]:
    """Draw every curve; the kinds that are there."""
    found = set()
    for attack, curve in curves.groupby("attack", sort=False):
        if attack == WORST_OF:
            draw_accuracy(axes, curve, _WORST.style, _BAND, linewidth=_WORST_WIDTH, zorder=4)
            continue
        kind = _kind(str(attack), str(curve["view"].iloc[0]))
        draw_accuracy(
            axes, curve, _KINDS[kind].style, band=None, linewidth=_WIDTH_OF_LINE, markersize=_MARKER
        )
        found.add(kind)
    format_epsilon_axis(axes, curves["epsilon"])
    axes.set_ylim(-3, 103)
    axes.set_ylabel("Accuracy (%)")
    axes.set_xlabel(f"Perturbation ε ({norm_title(str(curves['norm'].iloc[0]))}, pixels in [0, 1])")
    axes.set_title(
        f"Under every attack, n = {int(curves['n'].iloc[0]):,}", loc="left", fontsize=9, fontweight="bold"
    )
    return [kind for kind in _KINDS if kind in found]


def _draw_checks(axes: Axes, checks: list[tuple[str, str]]) -> None:
    axes.set_axis_off()
    axes.set_ylim(len(checks) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    failed = sum(verdict == "fail" for verdict, _ in checks)
    axes.set_title(
        f"What should hold: {failed} of {len(checks)} checks fail", loc="left", fontsize=9, fontweight="bold"
    )
    for row, (verdict, text) in enumerate(checks):
        sign, color = _VERDICTS[verdict]
        weight = "bold" if verdict == "fail" else "normal"
        axes.text(0.0, row, sign, color=color, fontsize=9.5, va="center", fontweight="bold")
        shade = "#222222" if verdict == "fail" else "#666666"
        axes.text(0.07, row, printable(text, 60), color=shade, va="center", fontsize=8, fontweight=weight)


def _legend(kinds: list[str]) -> list[Line2D]:
    worst = legend_line(_WORST.style, _WORST.title, linewidth=_WORST_WIDTH)
    lines = [legend_line(_KINDS[kind].style, _KINDS[kind].title, markersize=_MARKER) for kind in kinds]
    return [worst, *lines]


def _kind(attack: str, view: str) -> str:
    if view.startswith("transfer:"):
        return "transfer"
    if attack.startswith("noise"):
        return "noise"
    if attack.startswith("square"):
        return "black-box"
    return "white-box" if view == "exact" else "stand-in"
