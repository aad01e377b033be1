"""Runs to report, and what a parser sees in the page."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.comparing.runs import make_run, until

HOSTILE = "</script><script>alert(1)</script>"
CLIMBING = "../../x"
MARKUP = '<b onclick="x()">&amp; {{ 7*7 }} %{x}'

STRONG, MIDDLE, WEAK = until([4] * 60), until([0] * 5 + [3] * 55), until([1] * 60)


def two_defenses(folder: Path, **options: Any) -> Path:
    """A run of a baseline and a candidate under two attacks."""
    broken = {
        ("pgd-at", "pgd20"): STRONG,
        ("pgd-at", "square"): MIDDLE,
        ("nsq", "pgd20"): MIDDLE,
        ("nsq", "square"): WEAK,
    }
    return make_run(folder, broken, **{"examples": 3, **options})


def hostile_names(folder: Path) -> Path:
    """A run whose names would do harm if they were believed."""
    broken = {
        (HOSTILE, "pgd20"): STRONG,
        (CLIMBING, "pgd20"): WEAK,
        (MARKUP, HOSTILE): WEAK,
        ("pgd-at", "pgd20"): WEAK,
    }
    return make_run(folder, broken, examples=2, weights=HOSTILE)


def audit_document(**changes: Any) -> dict[str, Any]:
    """What ``robbench audit`` writes, as far as a report reads it."""
    checks = [
        ("fail", 12.5, "points", "Square is ahead of PGD.", "Trust the worst of all."),
        ("pass", 0.0, "%", "No gradient is zero.", ""),
        ("inconclusive", None, "", "Too few samples.", ""),
    ]
    keys = ("verdict", "number", "unit", "reason", "advice")
    records = [
        {**dict(zip(keys, check, strict=True)), "title": f"Check {i}", "source": "X 2018"}
        for i, check in enumerate(checks)
    ]
    return {
        "schema_version": 1,
        "sentence": "nsq: masked gradients — 1 of 3 checks fails",
        "defense": "nsq",
        "weights_sha256": "w nsq",
        "checks": records,
        "method": "Samples that are wrong are left out.",
        "command": "robbench audit --defense nsq",
        **changes,
    }


class Seen(HTMLParser):
    """What a browser would take from a page.

    Args:
        html: The page.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.figures: list[dict[str, Any]] = []
        self._inside: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[-1][0]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.words.append(data)
        elif self._inside[-1][1].get("id") == "figures":
            self.figures = json.loads(data)

    @property
    def text(self) -> str:
        """All that a reader reads, on one line."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]
