"""One panel of the curves figure: the curves of one attack."""

import textwrap
from itertools import chain

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from robbench.analysis.protocols import PAPER, protocol_of
from robbench.analysis.worst_of import WORST_OF, attack_columns, attack_count
from robbench.figures.curve_line import BAND, draw_accuracy, hollow_mark, legend_line
from robbench.figures.end_labels import draw_end_labels
from robbench.figures.house_style import CurveStyle
from robbench.figures.paper_points import points_of
from robbench.figures.titles import (
    LONGEST_LIST,
    VIEW_TITLES,
    AttackTitle,
    attack_title,
    defense_titles,
    printable,
)
from robbench.wording import counted

_TITLE_WIDTH = 48
"""Characters of a line of details."""
_LINE_HEIGHT = 9.5
"""Points between the lines above a panel."""
_FULL_BANDS = 6
"""Curves of a panel whose bands can be told apart at full opacity."""


def panels_of(curves: pd.DataFrame) -> list[pd.DataFrame]:
    """The curves of each panel, in the order in which their attacks appear: of one attack, or one worst-of.

    Args:
        curves: Columns as in :data:`robbench.schema.CURVES`, and ``attacks`` where they were joined.
    """
    # Titles are told apart among all defenses, and stay the same in a panel of a few.
    titles = defense_titles(curves)
    titled = curves.assign(title=[titles[str(name)] for name in curves["defense"]])
    return [panel for _, panel in titled.groupby([*attack_columns(curves), "criterion"], sort=False)]


def draw_panel(axes: Axes, panel: pd.DataFrame, styles: dict[str, CurveStyle], largest: float) -> None:
    """Draw all curves of one attack, with bands and the paper's points.

    Args:
        axes: Where to.
        panel: The points of one attack, columns as in :data:`robbench.schema.CURVES`.
        styles: A style for each defense.
        largest: The largest ε of the axis, which other panels may share.
    """
    curves = {str(name): curve.sort_values("epsilon") for name, curve in panel.groupby("defense", sort=False)}
    # Bands lie upon each other: of many, each is fainter, or together they are a wall that hides the curves.
    band = BAND * min(1.0, _FULL_BANDS / len(curves))
    for name, curve in curves.items():
        draw_accuracy(axes, curve, styles[name], band)
        _draw_points(axes, curve, styles[name])
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20))
    draw_end_labels(axes, curves, styles, largest)


def legend_of(curves: pd.DataFrame, styles: dict[str, CurveStyle]) -> list[Line2D]:
    """The legend of a figure of panels: every defense, and the paper's points where there are any.

    Args:
        curves: All that is drawn, columns as in :data:`robbench.schema.CURVES`.
        styles: A style for each defense.
    """
    titles = defense_titles(curves)
    lines = [legend_line(style, titles[name]) for name, style in styles.items()]
    every = curves.groupby(["defense", "attack", "criterion"], sort=False)
    if any(list(points_of(curve)) for _, curve in every):
        lines.append(hollow_mark("#444444", "o", label="stated in the SQ paper (2019)"))
    return lines


def describe_panel(panel: pd.DataFrame) -> list[str]:
    """The lines that stand above a panel, the attack's name first, then details in small print."""
    name, *sentences = panel_texts(panel)
    wrapped = [textwrap.wrap(sentence, _TITLE_WIDTH, break_on_hyphens=False) for sentence in sentences]
    return [name, *chain.from_iterable(wrapped)]


def panel_texts(panel: pd.DataFrame) -> list[str]:
    """The attack's name, its details, and which defenses it meets or is counted on in another way, if any."""
    head = panel.iloc[0]
    title = attack_title(head["attack"], head["loss"], head["backend"])
    if head["attack"] == WORST_OF:
        title = _worst_of_title(panel)
    details = [*title.details, *(["top-5 accuracy"] if head["criterion"] == "top5" else []), _samples(panel)]
    plain = _plain_defenses(panel, title)
    exceptions = [f"{', '.join(plain)}: no such layer, so this is {title.plain}"] if plain else []
    exceptions += _other_protocol(panel)
    return [title.name, ", ".join(details), *exceptions]


def write_title(axes: Axes, lines: list[str], room: int) -> None:
    """Write the lines from :func:`describe_panel` above a panel.

    Args:
        axes: The panel.
        lines: The name, then the small print.
        room: Lines of small print to leave room for, so that the names of a row stand at one height.
    """
    axes.set_title(lines[0], loc="left", fontsize=9.5, fontweight="bold", pad=5 + _LINE_HEIGHT * room)
    axes.annotate(
        "\n".join(lines[1:]),
        (0, 1),
        xytext=(0, 3 + _LINE_HEIGHT * room),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=7.5,
        color="#444444",
        va="top",
    )


def _draw_points(axes: Axes, curve: pd.DataFrame, style: CurveStyle) -> None:
    """The paper's values of a curve, where it states any."""
    for point in points_of(curve):
        mark = hollow_mark(style.color, style.marker)
        mark.set_data([point.epsilon], [point.accuracy * 100])
        mark.set(clip_on=False, zorder=5)
        axes.add_line(mark)


def _worst_of_title(panel: pd.DataFrame) -> AttackTitle:
    """With the number of attacks, and their names where they are known."""
    defenses, titles = panel.drop_duplicates("defense"), defense_titles(panel)
    counts = [attack_count(jobs) for jobs in defenses["job_id"]]
    fewer: dict[int, list[str]] = {}
    for name, count in zip(defenses["defense"], counts, strict=True):
        if count < max(counts):
            fewer.setdefault(count, []).append(titles[name])
    listed = printable(str(panel["attacks"].iloc[0]), LONGEST_LIST) if "attacks" in panel else ""
    exceptions = [f"only {count} on {', '.join(names)}" for count, names in fewer.items()]
    details = [text for text in [listed, *exceptions] if text]
    return AttackTitle(f"Worst of {counted(max(counts), 'attack')}", tuple(details), "")


def _samples(panel: pd.DataFrame) -> str:
    counts = [int(n) for n in panel["n"]]
    fewest, most = min(counts), max(counts)
    # Hard spaces: the line does not break here.
    return (
        f"n\u00a0=\u00a0{fewest:,}" if fewest == most else f"n\u00a0differs: {fewest:,}\u00a0to\u00a0{most:,}"
    )


def _other_protocol(panel: pd.DataFrame) -> list[str]:
    """Which defenses' curves count less as a success than those of the others beside them."""
    protocols = {
        name: protocol_of(strategy)
        for name, strategy in zip(panel["defense"], panel["strategy"], strict=True)
    }
    if len(set(protocols.values())) < 2:
        return []
    titles = defense_titles(panel)
    names = [titles[name] for name, protocol in protocols.items() if protocol == PAPER]
    return [f"{', '.join(names)}: each ε by itself, last iterate; the others: any iterate"]


def _plain_defenses(panel: pd.DataFrame, title: AttackTitle) -> list[str]:
    """Defenses without the layer that the attack gets around, by its name or on other defenses."""
    views = dict(zip(panel["defense"], panel["view"], strict=True))
    is_by_name = title.plain not in ("", title.name)
    if not is_by_name and not set(views.values()) & set(VIEW_TITLES):
        return []
    titles = defense_titles(panel)
    return [titles[name] for name, view in views.items() if view == "exact"]
