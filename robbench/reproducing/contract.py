"""What a target is: a figure or a table of the paper, and the runs and models behind it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun, Training
from robbench.text_table import TextTable

__all__ = ["Collected", "PaperRun", "Target", "Training"]


class Collected(NamedTuple):
    """The data of a target, as they lie on the shelf."""

    data: pd.DataFrame
    """What is written as the target's CSV file; what was not run has rows that say so."""
    notes: list[str]
    """What a reader of the figure must know, in sentences: few samples, other trainings, missing parts."""
    pictures: Mapping[str, npt.NDArray[np.uint8]] | None = None
    """Blocks of images by name, (n, height, width, channels), where the figure shows images."""
    more: Mapping[str, pd.DataFrame] | None = None
    """Further data; the key ends the name of the CSV file: ``fast-training-claims.csv``."""


class Target(ABC):
    """One figure or table of the paper.

    Attributes:
        name: What the user types: ``fig3``.
        title: What the page calls it: ``Figure 3``.
        caption: What it shows, in one sentence.
        runs: The sweeps behind it.
        more_figures: What ends the names of further figures: ``curves`` for ``fast-training-curves.png``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    caption: ClassVar[str]
    runs: tuple[PaperRun, ...] = ()
    more_figures: ClassVar[tuple[str, ...]] = ()

    def compute(self, shelf: Shelf) -> None:  # noqa: B027
        """Compute what is missing of the data that no sweep gives. Does nothing.

        Args:
            shelf: Where it is put.
        """

    @abstractmethod
    def collect(self, shelf: Shelf) -> Collected | None:
        """The data as they lie on the shelf, without torch; None where there are none."""

    @abstractmethod
    def draw(self, collected: Collected) -> Figure | None:
        """The figure; None for a table."""

    @abstractmethod
    def table(self, collected: Collected) -> TextTable | None:
        """The numbers a reader looks for; None where the figure says all."""

    def draw_more(self, collected: Collected, name: str) -> Figure | None:
        """One of :attr:`more_figures`; None where there is nothing to draw yet."""
        raise NotImplementedError(f"{self.name} has no figure {name}")

    def more_tables(self, collected: Collected) -> list[TextTable]:
        """Tables that stand open beside the figures, where a target has some. None."""
        return []
