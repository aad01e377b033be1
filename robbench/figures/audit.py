"""The audit figure: accuracy under every attack and under the worst of all, beside the checks."""

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from robbench.analysis.worst_of import WORST_OF
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.house_style import house_style
from robbench.figures.titles import norm_title, printable

_WIDTH, _HEIGHT = 7.4, 3.6
_CHECK_HEIGHT = 0.185
"""Inches for one line of the list."""


class _Kind(NamedTuple):
    """How the attacks of one kind are drawn."""

    title: str
    color: str
    line: Any
    marker: str


_KINDS = {
    "white-box": _Kind("white-box: the exact gradient", "#0072B2", "-", "o"),
    "stand-in": _Kind("a stand-in's gradient", "#D55E00", "--", "D"),
    "transfer": _Kind("transferred images", "#009E73", "-.", "^"),
    "black-box": _Kind("black-box: Square", "#CC79A7", (0, (5, 1, 1, 1)), "s"),
    "noise": _Kind("random noise", "#999999", ":", "v"),
}
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
    found = []
    for attack, curve in curves.sort_values("epsilon", kind="stable").groupby("attack", sort=False):
        percent = curve[["robust_accuracy", "ci_low", "ci_high"]] * 100
        if attack == WORST_OF:
            axes.fill_between(
                curve["epsilon"],
                percent["ci_low"],
                percent["ci_high"],
                color="#000000",
                alpha=0.13,
                linewidth=0,
            )
            axes.plot(curve["epsilon"], percent["robust_accuracy"], color="#000000", linewidth=2.4, zorder=4)
            continue
        kind = _kind(str(attack), str(curve["view"].iloc[0]))
        style = _KINDS[kind]
        axes.plot(
            curve["epsilon"],
            percent["robust_accuracy"],
            color=style.color,
            linestyle=style.line,
            marker=style.marker,
            linewidth=1.1,
            markersize=3.4,
        )
        found.append(kind)
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
    worst = Line2D([], [], color="#000000", linewidth=2.4, label="worst of all, with its 95 % band")
    lines = [
        Line2D(
            [],
            [],
            color=style.color,
            linestyle=style.line,
            marker=style.marker,
            markersize=3.4,
            label=style.title,
        )
        for style in (_KINDS[kind] for kind in kinds)
    ]
    return [worst, *lines]


def _kind(attack: str, view: str) -> str:
    if view.startswith("transfer:"):
        return "transfer"
    if attack.startswith("noise"):
        return "noise"
    if attack.startswith("square"):
        return "black-box"
    return "white-box" if view == "exact" else "stand-in"
