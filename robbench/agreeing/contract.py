"""What an agreement found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from robbench.agreeing.conformance import FAILED, Conformance
from robbench.agreeing.judging import UNEXPLAINED
from robbench.epsilon import EpsilonUnit
from robbench.text_table import TextTable


@dataclass(frozen=True)
class Agreement:
    """The same attacks through several backends, and why the outcomes differ.

    Attributes:
        dataset: The dataset's name.
        norm: ``linf`` or ``l2``.
        title: What was compared, in words.
        defenses: What is printed for each defense.
        unit: The unit of ε.
        samples: The number of samples.
        curves: Every backend's robust accuracy, and what ``robbench run`` reports: one row per defense,
            attack, tool and radius.
        points: Every pair of backends at every radius, see :func:`robbench.analysis.agreement.pair_points`.
        pairs: One row per pair, with what explains its differences.
        causes: What each known cause changes.
        ladder: From what ``robbench run`` reports to each library, cause by cause.
        conformance: The pitfalls of the installed libraries.
        notes: What a reader should know, in sentences.
    """

    dataset: str
    norm: str
    title: str
    defenses: Mapping[str, str]
    unit: EpsilonUnit
    samples: int
    curves: pd.DataFrame
    points: pd.DataFrame
    pairs: pd.DataFrame
    causes: pd.DataFrame
    ladder: pd.DataFrame
    conformance: list[Conformance]
    notes: list[str]

    def subjects(self) -> list[tuple[str, str]]:
        """Every defense with every attack."""
        return list(dict.fromkeys(zip(self.pairs["defense"], self.pairs["attack"], strict=True)))

    @property
    def unexplained(self) -> int:
        """Pairs of backends whose differences no known cause explains."""
        return list(self.pairs["verdict"]).count(UNEXPLAINED)


@dataclass(frozen=True)
class Agreed:
    """A finished agreement.

    Attributes:
        agreement: What was found.
        tables: What a person reads.
        files: What was written.
    """

    agreement: Agreement
    tables: list[TextTable]
    files: list[Path]


def rows_of(frame: pd.DataFrame, defense: str, attack: str) -> pd.DataFrame:
    """The rows of one defense under one attack."""
    kept = [key == (defense, attack) for key in zip(frame["defense"], frame["attack"], strict=True)]
    return frame.loc[kept]


def failing(conformance: list[Conformance]) -> list[str]:
    """The guards that do not hold and the probes that could not run, in sentences."""
    return [
        f"Item {item.number} ({item.package}): {item.seen}"
        if item.state == FAILED
        else f"Item {item.number} ({item.package}): the guard does not hold: {item.guard}"
        for item in conformance
        if item.guarded is False or item.state == FAILED
    ]
