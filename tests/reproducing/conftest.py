"""A target that takes a second: two defenses on a few digits, two steps, three radii."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.reproducing import PaperRun, Training, targets
from robbench.reproducing.curve_targets import CurveTarget
from robbench.reproducing.shelf import Shelf

PAPERS = ("pgd2", "bpda2-substitute")
STRONG = ("pgd2", "bpda2")
GRID = "0,0.1,0.3"


def tiny_run(protocol: str, defense: str, folder: str = "") -> PaperRun:
    attacks = PAPERS if protocol == PAPER else STRONG
    return PaperRun(Training("digits", defense, folder=folder), protocol, attacks, eps_grid=GRID)


EXTRA = PaperRun(Training("digits", "nsq"), STRONGER, ("bpda2-smooth",), part="extra", eps_grid=GRID)


class Tiny(CurveTarget):
    name = "tiny"
    title = "Tiny figure"
    caption = "Made for the tests"
    runs = (
        *(tiny_run(protocol, name) for protocol in (PAPER, STRONGER) for name in ("natural", "nsq")),
        EXTRA,
    )


class Lacking(CurveTarget):
    name = "lacking"
    title = "Lacking figure"
    caption = "A model of it is nowhere"
    runs = (tiny_run(PAPER, "natural"), tiny_run(PAPER, "nsq", folder="nowhere"))


class Trained(CurveTarget):
    name = "trained"
    title = "Figure of a short training"
    caption = "Its model takes a second"
    runs = (
        PaperRun(Training("digits", "nsq", folder="short", budget="epochs=1"), PAPER, PAPERS, eps_grid=GRID),
    )


@dataclass(frozen=True)
class Reproducer:
    """Types ``robbench reproduce`` into one folder."""

    type: object
    folder: Path
    samples: ClassVar[int] = 8

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.folder)

    def __call__(self, *arguments: object):
        return self.type("reproduce", *arguments, "--out", self.folder, "--device", "cpu")  # pyright: ignore[reportCallIssue]


@pytest.fixture
def tiny_targets(monkeypatch):
    """The targets are known while a test runs, and no longer."""
    targets.names()
    monkeypatch.setitem(targets._members, "tiny", Tiny())
    monkeypatch.setitem(targets._members, "lacking", Lacking())
    monkeypatch.setitem(targets._members, "trained", Trained())


@pytest.fixture
def reproducer(shell, tmp_path, tiny_targets) -> Reproducer:
    return Reproducer(shell, tmp_path / "paper")
