"""What lies on the shelf about the models of a setting: who survived what, and what each training cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from robbench.analysis.curves import curves_of
from robbench.analysis.intervals import wilson
from robbench.analysis.survival import Survival, survivals_of
from robbench.analysis.worst_of import WORST_OF, worst_of
from robbench.figures.titles import defense_title, without_collapse
from robbench.reproducing.collecting import DONE, NOT_RUN, Found, found_on, of_one_model, on_shared_samples
from robbench.reproducing.fast_training.settings import AUTOATTACK, BPDA, PGD, Setting
from robbench.reproducing.shelf import Shelf, StoredRun

CLEAN = "clean"
"""Stands where an attack does: no attack at all."""
_COST = (
    "iterations",
    "batch_size",
    "held_out",
    "seconds",
    "n_forward",
    "n_backward",
    "peak_memory",
    "memory_measure",
    "overfitting",
    "device",
)
SUMMARY = (
    "dataset",
    "epsilon",
    "defense",
    "seed",
    "title",
    "state",
    "n",
    "n_worst",
    CLEAN,
    "pgd",
    "autoattack",
    "worst_of",
    "ci_low",
    "ci_high",
    "has_layer",
    "learned",
    *_COST,
)
"""One row per training: accuracies at ε, the 95 % interval of the worst, and what the training cost.

``n`` is the images under no attack and under PGD, ``n_worst`` those under AutoAttack, which may be fewer, and
so under all attacks.
``has_layer``: an attack must get around a layer; ``learned``: clean accuracy is above guessing.
"""


@dataclass(frozen=True)
class Subject:
    """One defense of a setting that was attacked.

    Attributes:
        name: The registered defense.
        title: What print calls it; of a collapse its training tells.
        survivals: By attack, at 0 and at the setting's ε; worst-of where every attack of the setting was run,
            on the samples of all of them.
        curves: Of every attack over its grid; columns as in :data:`robbench.schema.CURVES`.
        training: What is known of its training; empty: nothing.
        classes: Of the dataset.
    """

    name: str
    title: str
    survivals: dict[str, Survival]
    curves: pd.DataFrame
    training: dict[str, Any]
    classes: int

    @property
    def clean(self) -> np.ndarray:
        """Which samples are classified correctly without an attack."""
        return next(iter(self.survivals.values())).survived[:, 0]

    def survived(self, attack: str) -> np.ndarray | None:
        """Which samples survive at the setting's ε, or at 0 for :data:`CLEAN`; None: not attacked so."""
        if attack == CLEAN:
            return self.clean
        return self.survivals[attack].survived[:, 1] if attack in self.survivals else None

    @property
    def learned(self) -> bool:
        """Whether its clean accuracy is above guessing by a 95 % interval: else the training has failed."""
        clean = self.clean
        return bool(wilson(np.array(clean.sum()), np.array(len(clean))).low > 1 / self.classes)

    @property
    def has_layer(self) -> bool:
        """Whether it has a layer that an attack must get around."""
        return bool((self.curves["view"] != "exact").any())


@dataclass(frozen=True)
class Evidence:
    """What is known of the trainings of a setting from one seed.

    Attributes:
        setting: The setting.
        seed: The seed.
        subjects: The defenses that were attacked, under each attack all on the same samples.
        runs: Whence that is known; of each defense those of one model, the newest run's.
    """

    setting: Setting
    seed: int
    subjects: dict[str, Subject] = field(default_factory=dict)
    runs: Found = field(default_factory=dict)


def gather_evidence(setting: Setting, shelf: Shelf) -> list[Evidence]:
    """Read the runs of a setting, seed by seed; a defense without its curves counts as not attacked."""
    trainings = [(seed, name) for seed in setting.seeds for name in setting.defenses]
    found = {
        (seed, name): of_one_model(found_on(shelf, setting.runs_of(name, seed))) for seed, name in trainings
    }
    rows = _rows([stored for runs in found.values() for stored in runs.values() if stored])
    return [
        Evidence(
            setting,
            seed,
            {
                name: _subject(name, runs, rows, setting, shelf)
                for name in setting.defenses
                if (runs := _runs(found[seed, name]))
            },
            {run: stored for name in setting.defenses for run, stored in found[seed, name].items()},
        )
        for seed in setting.seeds
    ]


def _rows(runs: Sequence[StoredRun]) -> dict[Any, pd.DataFrame]:
    """The rows of runs by their folder, those of the same attacks cut to the samples that all of them have.

    AutoAttack costs thousands of passes a sample, and may so be run on fewer.
    """
    parts: dict[str, list[StoredRun]] = {}
    for stored in runs:
        parts.setdefault(stored.run.part, []).append(stored)
    return {
        stored.folder: rows
        for alike in parts.values()
        for stored, rows in zip(
            alike, on_shared_samples([stored.outcomes() for stored in alike]), strict=True
        )
    }


def _runs(found: Found) -> list[StoredRun]:
    """The runs of a training that are there, its curves first; none without them."""
    curves, *others = found.values()
    return [curves, *(stored for stored in others if stored)] if curves else []


def summarize(evidence: Evidence) -> pd.DataFrame:
    """One row per defense, columns as in :data:`SUMMARY`; what is not known is missing."""
    rows = [_summary_row(name, evidence) for name in evidence.setting.defenses]
    return pd.DataFrame(rows).reindex(columns=list(SUMMARY))


def _subject(
    name: str, runs: list[StoredRun], rows: dict[Any, pd.DataFrame], setting: Setting, shelf: Shelf
) -> Subject:
    own = [rows[stored.folder] for stored in runs]
    grids = [tuple(stored.manifest["spec"]["eps_grid"]) for stored in runs]
    survivals = _survivals(own, grids, setting)
    if survivals.keys() >= {PGD, BPDA, AUTOATTACK}:
        survivals[WORST_OF] = worst_of(_survivals(on_shared_samples(own), grids, setting).values())
    curves = [curves_of(table, grid) for table, grid in zip(own, grids, strict=True)]
    title = runs[0].manifest["defenses"][name].get("title") or defense_title(name)
    return Subject(
        name,
        without_collapse(title),
        survivals,
        pd.concat(curves, ignore_index=True),
        shelf.training_of(runs[0]) or {},
        len(runs[0].manifest["dataset"]["classes"]),
    )


def _survivals(
    rows: Sequence[pd.DataFrame], grids: Sequence[tuple[float, ...]], setting: Setting
) -> dict[str, Survival]:
    """By attack, what survives at 0 and at the setting's ε."""
    return {
        attack: survival.at((0.0, setting.epsilon))
        for table, grid in zip(rows, grids, strict=True)
        for attack, survival in survivals_of(table, grid).items()
    }


def _summary_row(name: str, evidence: Evidence) -> dict[str, Any]:
    setting = evidence.setting
    known = {
        "dataset": setting.dataset,
        "epsilon": setting.epsilon,
        "defense": name,
        "seed": evidence.seed,
    }
    if name not in evidence.subjects:
        return {**known, "title": defense_title(name), "state": NOT_RUN}
    subject = evidence.subjects[name]
    accuracies = {
        column: None if (survived := subject.survived(attack)) is None else float(survived.mean())
        for column, attack in (
            (CLEAN, CLEAN),
            ("pgd", PGD),
            ("autoattack", AUTOATTACK),
            ("worst_of", WORST_OF),
        )
    }
    worst = subject.survived(WORST_OF)
    return {
        **known,
        "title": subject.title,
        "state": DONE,
        "n": len(subject.clean),
        "n_worst": None if worst is None else len(worst),
        **accuracies,
        **_interval(worst),
        "has_layer": subject.has_layer,
        "learned": subject.learned,
        **{column: subject.training.get(column) for column in _COST},
    }


def _interval(survived: np.ndarray | None) -> dict[str, float]:
    """The 95 % interval of an accuracy; empty: it is not known."""
    if survived is None:
        return {}
    interval = wilson(np.array(survived.sum()), np.array(len(survived)))
    return {"ci_low": float(interval.low), "ci_high": float(interval.high)}
