"""Numbers and lists in sentences: one of a thing is no plural, and a share is a percentage."""

from collections.abc import Iterable
from typing import SupportsFloat


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 job``, ``2 jobs``.

    Args:
        number: How many.
        noun: In the singular; its plural ends in s.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: SupportsFloat) -> str:
    """A share in words: ``12.5 %``."""
    return f"{100 * float(share):.1f} %"


def either(words: Iterable[str]) -> str:
    """Several words of which any may be meant: ``a, b or c``."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
