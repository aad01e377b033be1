"""Tables of text as Markdown that shows every name as it is."""

import re

from robbench.text_table import TextTable

_SPECIAL = re.compile(r"([\\`*_\[\]|$~#!@])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """Text in which Markdown, HTML and formulas are plain characters, on one line."""
    line = " ".join(text.split())
    entities = "".join(_ENTITIES.get(character, character) for character in line)
    return _SPECIAL.sub(r"\\\1", entities)


def markdown_table(table: TextTable) -> str:
    """A table under its title."""
    first_number = len(table.columns) - table.numbers
    rule = ["---:" if position >= first_number else ":---" for position in range(len(table.columns))]
    rows = [[*map(escape, table.columns)], rule, *([*map(escape, row)] for row in table.rows)]
    return "\n".join([f"## {escape(table.title)}", "", *(f"| {' | '.join(row)} |" for row in rows), ""])
