"""What a comparison is asked and what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from robbench.epsilon import EpsilonUnit
from robbench.text_table import TextTable


@dataclass(frozen=True)
class ComparisonRequest:
    """What is compared.

    Attributes:
        results: A run, or a folder that holds runs.
        baseline: The defense that the others are compared with.
        candidates: The others; empty: all.
        at: Radii to show, as typed; empty: 0, the grid's middle and its largest.
        dataset: Only this dataset; None: each by itself.
        norm: Only this norm; None: each by itself.
        criterion: Only this criterion; None: each by itself.
        fail_if_worse: Points of accuracy; None: nothing fails.
        titles: What the tables call the defenses, where not by their names.
    """

    results: str | Path
    baseline: str
    candidates: tuple[str, ...] = ()
    at: str = ""
    dataset: str | None = None
    norm: str | None = None
    criterion: str | None = None
    fail_if_worse: float | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparedDataset:
    """The comparison on one dataset, in one norm and by one criterion.

    Attributes:
        dataset: Its name.
        norm: ``linf`` or ``l2``.
        criterion: ``top1`` or ``top5``.
        baseline: The baseline's name.
        title: What it is, in words.
        defenses: What is printed for each defense.
        unit: The unit of ε.
        points: Every radius, see :class:`robbench.analysis.comparison.Comparison`.
        verdicts: Areas and the verdict in words, per candidate and attack.
        tables: What a person reads: accuracies at the radii asked for, verdicts, cost.
        notes: What a reader of these should know, in sentences.
    """

    dataset: str
    norm: str
    criterion: str
    baseline: str
    title: str
    defenses: Mapping[str, str]
    unit: EpsilonUnit
    points: pd.DataFrame
    verdicts: pd.DataFrame
    tables: tuple[TextTable, ...]
    notes: tuple[str, ...]


class Compared(NamedTuple):
    """What a comparison found."""

    datasets: list[ComparedDataset]
    files: list[Path]
    notes: list[str]
    """What a reader should know, in sentences."""
    worse: list[str]
    """The candidates that are worse than allowed, in sentences."""

    @property
    def tables(self) -> list[TextTable]:
        """All tables, dataset by dataset."""
        return [table for compared in self.datasets for table in compared.tables]
