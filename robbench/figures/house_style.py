"""How every figure looks: fonts, lines, and one colour, line and marker for each defense."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so figures are equal on every machine
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "text.parse_math": False,  # names are data: a $ is a dollar
    "svg.hashsalt": "robbench",  # equal curves give equal files
    "pdf.fonttype": 42,
}

_OKABE_ITO = ("#56B4E9", "#CC79A7", "#E69F00", "#000000", "#0072B2", "#009E73", "#D55E00")
"""Distinct to the colour-blind (Okabe & Ito 2008), without the yellow, which white paper swallows."""
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
_MARKERS = ("v", "P", "X", "<", ">", "p", "h", "*", "d", "o", "s", "^")


@dataclass(frozen=True)
class CurveStyle:
    """What tells a curve from the others, by itself also in grey.

    Attributes:
        color: A hex colour.
        line: A matplotlib line style.
        marker: A matplotlib marker.
    """

    color: str
    line: Any
    marker: str


_FIXED = {
    "natural": CurveStyle("#000000", ":", "o"),
    "pgd-at": CurveStyle("#0072B2", "--", "s"),
    "sq": CurveStyle("#009E73", "-.", "^"),
    "nsq": CurveStyle("#D55E00", "-", "D"),
}
"""The baselines look the same in every figure, whoever stands beside them."""


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save in the house style, whatever the user's matplotlibrc says; restored on leaving."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def curve_styles(defenses: Iterable[str]) -> dict[str, CurveStyle]:
    """A style for each defense of a figure.

    Baselines have their own. Any other name prefers a colour that follows from the name alone, and has it
    unless a name of the same figure that sorts before it prefers the same. Once all colours are taken they
    come again with another line and another marker.
    """
    styles = dict(_FIXED)
    for name in sorted(set(defenses) - set(_FIXED)):
        start = hashlib.sha256(name.encode()).digest()[0]
        uses = Counter(style.color for style in styles.values())
        color = _least_used(_OKABE_ITO, uses, start)
        marker = _least_used(_MARKERS, Counter(style.marker for style in styles.values()), start)
        taken = [style.line for style in styles.values() if style.color == color]
        styles[name] = CurveStyle(color, min(_LINES, key=taken.count), marker)
    return {name: styles[name] for name in dict.fromkeys(defenses)}


def _least_used(options: tuple[str, ...], uses: Counter[str], start: int) -> str:
    turned = [options[(start + i) % len(options)] for i in range(len(options))]
    return min(turned, key=lambda option: uses[option])
