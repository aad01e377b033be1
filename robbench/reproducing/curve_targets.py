"""Targets made of curves: the four attacks of the paper on its four defenses, read in two ways."""

from abc import ABC

import pandas as pd
from matplotlib.figure import Figure

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.figures.protocol_panels import draw_protocols
from robbench.reproducing.collecting import DONE, collect_curves, found_on, remarks
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun, Training
from robbench.reproducing.tables import accuracy_table
from robbench.text_table import TextTable

DEFENSES = ("natural", "pgd-at", "sq", "nsq")


class RunsTarget(Target, ABC):
    """A target whose data are the curves of its runs, each by itself."""

    def collect(self, shelf: Shelf) -> Collected | None:
        return Collected(collect_curves(self.runs, shelf), remarks(found_on(shelf, self.runs), shelf))

    def table(self, collected: Collected) -> TextTable | None:
        return accuracy_table(collected.data, f"{self.title}: accuracy in %")


class TableTarget(RunsTarget, ABC):
    """One without a figure: its table says all."""

    def draw(self, collected: Collected) -> Figure | None:
        return None


class CurveTarget(RunsTarget, ABC):
    """One whose figure is rows of panels of curves, one row per protocol."""

    def draw(self, collected: Collected) -> Figure | None:
        done = collected.data.loc[collected.data["state"] == DONE]
        return draw_protocols(_as_numbers(done), self.caption, collected.notes) if len(done) else None


def attacks_of(protocol: str, steps: int) -> tuple[str, ...]:
    """PGD and BPDA with two losses, as either protocol understands BPDA; the stronger adds smooth BPDA."""
    if protocol == PAPER:
        return f"pgd{steps}", f"pgd{steps}-cw", f"bpda{steps}-substitute", f"bpda{steps}-substitute-cw"
    return f"pgd{steps}", f"pgd{steps}-cw", f"bpda{steps}", f"bpda{steps}-cw", f"bpda{steps}-smooth"


def four_defenses(dataset: str, steps: int) -> tuple[PaperRun, ...]:
    """The runs of Figures 3 and 4 on a dataset.

    Args:
        dataset: A registered dataset.
        steps: PGD steps of every attack.
    """
    return tuple(
        PaperRun(Training(dataset, defense), protocol, attacks_of(protocol, steps))
        for protocol in (PAPER, STRONGER)
        for defense in DEFENSES
    )


def _as_numbers(done: pd.DataFrame) -> pd.DataFrame:
    """Counts as plain integers, which the panels expect; nothing is missing among what was run."""
    return done.astype({"n": "int64", "n_correct": "int64", "seed": "int64"})
