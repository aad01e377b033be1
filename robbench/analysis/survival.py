"""Which samples survive an attack, sample by sample."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

SAMPLE_COLUMNS = ("attack", "job_id", "sample_id", "sample_index", "label", "broken")
"""The columns of the outcomes that are read here."""


@dataclass(frozen=True)
class Survival:
    """Which samples of a defense survive an attack.

    Attributes:
        attack: The attack's name.
        jobs: The computations behind it.
        samples: The samples, sorted: ``sample_id``, ``label``, and which of several equal images it is.
        epsilons: The radii, ascending from 0, pixel scale.
        survived: (samples, radii): whether the attack left the sample unbroken.
    """

    attack: str
    jobs: tuple[str, ...]
    samples: pd.MultiIndex
    epsilons: tuple[float, ...]
    survived: npt.NDArray[np.bool_]

    @cached_property
    def accuracy(self) -> npt.NDArray[np.float64]:
        """The robust accuracy at every radius."""
        return self.survived.mean(axis=0)

    def at(self, epsilons: tuple[float, ...]) -> "Survival":
        """The same at some of the radii."""
        columns = [self.epsilons.index(epsilon) for epsilon in epsilons]
        return Survival(self.attack, self.jobs, self.samples, epsilons, self.survived[:, columns])


def check_same(first: Survival, other: Survival) -> None:
    """Refuse to pair what was not measured on the same samples and radii.

    Raises:
        ValueError: Samples or radii differ.
    """
    if other.epsilons != first.epsilons or not other.samples.equals(first.samples):
        raise ValueError(f"{other.attack} and {first.attack} were not run on the same samples and radii")


def survivals_of(outcomes: pd.DataFrame, epsilons: tuple[float, ...]) -> dict[str, Survival]:
    """The survival under each attack of one defense, by the attack's name.

    Args:
        outcomes: The rows of one defense, one norm and one criterion: :data:`SAMPLE_COLUMNS`.
        epsilons: The grid to which the lists in ``broken`` belong.

    Raises:
        ValueError: A list in ``broken`` has another length than the grid.
    """
    return {str(name): _survival(rows, epsilons) for name, rows in outcomes.groupby("attack", sort=False)}


def _survival(rows: pd.DataFrame, epsilons: tuple[float, ...]) -> Survival:
    rows = rows.sort_values(["sample_id", "label", "sample_index"], kind="stable")
    # Equal images have equal ids: the first of them here is paired with the first of them there.
    copies = rows.groupby(["sample_id", "label"]).cumcount()
    survived = ~np.stack([np.asarray(flags, dtype=bool) for flags in rows["broken"]])
    if survived.shape[1] != len(epsilons):
        raise ValueError(f"the grid has {len(epsilons)} points, but `broken` has {survived.shape[1]}")
    samples = pd.MultiIndex.from_arrays([rows["sample_id"], rows["label"], copies])
    jobs = tuple(dict.fromkeys(rows["job_id"]))
    return Survival(str(rows["attack"].iloc[0]), jobs, samples, epsilons, survived)
