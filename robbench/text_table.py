"""A table of text, however it will be shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        title: What stands above it.
        columns: The headings.
        rows: The cells, as many in each row as there are columns.
        numbers: How many columns, counted from the right, hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numbers: int = 0
