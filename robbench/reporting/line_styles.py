"""The house style of curves in a browser: the lines and marks of the figures, on light and dark paper."""

from dataclasses import dataclass
from typing import Any

from robbench.figures.house_style import CurveStyle

_DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}
_SWATCHES = {"solid": "", "dash": "7 4", "dashdot": "7 3 2 3", "dot": "2 3"}
"""The same as SVG writes it, for the legend."""
_PIXELS = 2
"""Of a line's width, which is matplotlib's measure of dashes."""
_DARK = {"#000000": "#f0f0ec", "#0072B2": "#4ea5dc"}
"""Colours that dark paper swallows, and what stands for them there."""
_MARKERS = {
    "o": ("circle", "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"),
    "s": ("square", "M-3.5-3.5h7v7h-7z"),
    "^": ("triangle-up", "M0-4.5L4.5 3.5h-9z"),
    "v": ("triangle-down", "M0 4.5L4.5-3.5h-9z"),
    "<": ("triangle-left", "M-4.5 0L3.5-4.5v9z"),
    ">": ("triangle-right", "M4.5 0L-3.5-4.5v9z"),
    "D": ("diamond", "M0-5L5 0 0 5-5 0z"),
    "d": ("diamond-tall", "M0-5.5L3.3 0 0 5.5-3.3 0z"),
    "P": ("cross", "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"),
    "X": ("x", "M0-2L2.5-4.5 4.5-2.5 2 0 4.5 2.5 2.5 4.5 0 2-2.5 4.5-4.5 2.5-2 0-4.5-2.5-2.5-4.5z"),
    "p": ("pentagon", "M0-4.5L4.3-1.4 2.6 3.6h-5.2L-4.3-1.4z"),
    "h": ("hexagon", "M0-4.5L3.9-2.3v4.5L0 4.5-3.9 2.2v-4.5z"),
    "*": ("star", "M0-5L1.2-1.6 4.8-1.6 1.9.6 3 4 0 1.9-3 4-1.9.6-4.8-1.6-1.2-1.6z"),
}
"""By matplotlib's letter: the name in plotly, and the outline as an SVG path of about 9 by 9."""


@dataclass(frozen=True)
class LineStyle:
    """What tells a curve from the others in a browser.

    Attributes:
        light: A hex colour on light paper.
        dark: A hex colour on dark paper.
        dash: The line, in plotly's words.
        symbol: The marker, in plotly's words.
        dash_array: The line, in SVG's words.
        outline: The marker as an SVG path around the origin.
    """

    light: str
    dark: str
    dash: str
    symbol: str
    dash_array: str
    outline: str


def line_style(style: CurveStyle) -> LineStyle:
    """A figure's style for a browser."""
    dash = _dash(style.line)
    symbol, outline = _MARKERS[style.marker]
    dark = _DARK.get(style.color, style.color)
    return LineStyle(style.color, dark, dash, symbol, _SWATCHES.get(dash, dash.replace("px", "")), outline)


def _dash(line: Any) -> str:
    if isinstance(line, str):
        return _DASHES[line]
    _, lengths = line
    return ",".join(f"{_PIXELS * length}px" for length in lengths)
