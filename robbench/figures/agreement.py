"""The agreement figure: curves of every backend, their differences, and who agrees with whom."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robbench.figures.curve_line import draw_curve, legend_line
from robbench.figures.epsilon_axis import format_epsilon_axis
from robbench.figures.house_style import CurveStyle, house_style
from robbench.figures.titles import attack_title, printable

_STYLES = {
    "native": CurveStyle("#000000", "-", "o"),
    "torchattacks": CurveStyle("#D55E00", "--", "s"),
    "foolbox": CurveStyle("#0072B2", "-.", "^"),
    "art": CurveStyle("#009E73", ":", "D"),
    "robbench run": CurveStyle("#CC79A7", (0, (5, 1, 1, 1, 1, 1)), "v"),
}
"""Every tool looks the same in every figure."""
_OTHER = CurveStyle("#777777", "-", "x")
_WIDTH, _ROW, _SMALL_PRINT = 8.6, 2.15, 0.95
_MARKER, _SMALLER, _LINE, _THINNER = 6.4, 0.9, 2.2, 0.35
_LEAST_HALF_RANGE = 5.0
"""Points of accuracy shown on either side of zero, at least: noise shall not look like a mountain."""
_COLORS = "Blues"
_LEAST_SHARE = 0.8
"""Agreement at which the matrix is white, unless some pair has less."""


def draw_agreement(
    curves: pd.DataFrame, pairs: pd.DataFrame, title: str, defenses: Mapping[str, str], norm: str
) -> Figure:
    """Draw a row of three panels for each defense and attack.

    Args:
        curves: The columns defense, attack, tool, epsilon and robust_accuracy; not empty.
        pairs: The columns defense, attack, first, second and equal_share.
        title: What was compared, in words.
        defenses: What is printed for each defense, short enough for a figure.
        norm: The norm's symbol.
    """
    with house_style():
        groups = list(curves.groupby(["defense", "attack"], sort=False))
        figure = Figure(figsize=(_WIDTH, _ROW * len(groups) + _SMALL_PRINT), layout="constrained")
        rows = figure.subplots(len(groups), 3, squeeze=False, width_ratios=(1.25, 1.25, 1))
        least = min(_LEAST_SHARE, *pairs["equal_share"])
        for (key, rows_of_curve), (left, middle, right) in zip(groups, rows, strict=True):
            defense, attack = map(str, key)  # pyright: ignore[reportArgumentType]
            own = pairs.loc[(pairs["defense"] == defense) & (pairs["attack"] == attack)]
            _draw_curves(left, rows_of_curve, norm)
            _draw_differences(middle, rows_of_curve, norm)
            _draw_matrix(right, own, least)
            left.set_title(
                f"{defenses[defense]}: {_attack(attack)}", loc="left", fontsize=9, fontweight="bold"
            )
            middle.set_title(f"Points above {_reference(rows_of_curve)}", loc="left", fontsize=8.5)
            right.set_title("Equal cells (%)", loc="left", fontsize=8.5)
        figure.suptitle(f"{title}: the same attack by every library", fontsize=10.5)
        tools = list(dict.fromkeys(curves["tool"]))
        figure.legend(
            handles=[
                legend_line(_style(tool), printable(tool), linewidth=1.2, markersize=3.4) for tool in tools
            ],
            loc="outside lower center",
            ncols=len(tools),
            handlelength=3.4,
        )
        return figure


def _attack(name: str) -> str:
    kind, details, _ = attack_title(name)
    return printable(", ".join([kind, *details]))


def _reference(curves: pd.DataFrame) -> str:
    """The tool from which differences are taken: native, else the first."""
    tools = list(dict.fromkeys(curves["tool"]))
    return "native" if "native" in tools else tools[0]


def _draw_curves(axes: Axes, curves: pd.DataFrame, norm: str) -> None:
    wide = 100 * curves.pivot(index="epsilon", columns="tool", values="robust_accuracy")
    _plot(axes, wide.reindex(columns=list(dict.fromkeys(curves["tool"]))))
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("Accuracy (%)")
    _label_epsilon(axes, curves, norm)


def _draw_differences(axes: Axes, curves: pd.DataFrame, norm: str) -> None:
    wide = 100 * curves.pivot(index="epsilon", columns="tool", values="robust_accuracy")
    above = wide.sub(wide[_reference(curves)], axis=0)
    _plot(axes, above.reindex(columns=list(dict.fromkeys(curves["tool"]))))
    half = max(_LEAST_HALF_RANGE, 1.1 * float(above.abs().to_numpy().max()))
    axes.set_ylim(-half, half)
    _label_epsilon(axes, curves, norm)


def _draw_matrix(axes: Axes, pairs: pd.DataFrame, least: float) -> None:
    """Share of cells with equal outcomes for every pair, in words and as a shade."""
    tools = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    shares = np.full((len(tools), len(tools)), np.nan)
    for pair in pairs.to_dict("records"):
        places = tools.index(pair["first"]), tools.index(pair["second"])
        share = float(pair["equal_share"])
        for row, column in (places, places[::-1]):
            shares[row, column] = share
            # Never rounded up to full agreement.
            text = "100" if share == 1 else f"{min(100 * share, 99.9):.1f}"
            axes.annotate(text, (column, row), ha="center", va="center", fontsize=7.5)
    axes.imshow(shares, cmap=_COLORS, vmin=least, vmax=1.25, aspect="auto")
    names = [printable(tool) for tool in tools]
    axes.set_xticks(range(len(tools)), names, fontsize=6.5)
    axes.set_yticks(range(len(tools)), names, fontsize=6.5)
    axes.grid(visible=False)
    axes.tick_params(length=0)


def _label_epsilon(axes: Axes, curves: pd.DataFrame, norm: str) -> None:
    format_epsilon_axis(axes, curves["epsilon"])
    axes.set_xlabel(f"Perturbation ε ({norm})")


def _plot(axes: Axes, columns: pd.DataFrame) -> None:
    """Draw a line for each column; later ones smaller, so that equal curves are all seen."""
    for position, tool in enumerate(columns):
        points = pd.DataFrame({"epsilon": columns.index, "value": columns[tool].to_numpy()})
        draw_curve(
            axes,
            points,
            _style(str(tool)),
            band=None,
            linewidth=_LINE - _THINNER * position,
            markersize=_MARKER - _SMALLER * position,
        )


def _style(tool: str) -> CurveStyle:
    return _STYLES.get(tool, _OTHER)
