"""Worst-of: what survives every attack that was tried."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from robbench.analysis.curves import curves_of
from robbench.analysis.intervals import wilson
from robbench.analysis.survival import SAMPLE_COLUMNS, Survival, check_same, survivals_of
from robbench.schema import CURVES, arrow_schema

WORST_OF = "worst-of"
"""The name that stands where an attack's does."""
_GROUP = ["dataset", "defense", "norm", "criterion"]


def worst_of(survivals: Iterable[Survival]) -> Survival:
    """What survives all of some attacks: a sample is broken at ε if any of them broke it there.

    Every attack counts, also a transferred one and random noise; attacks that share a job count once.

    Args:
        survivals: Of one defense, on the same samples and radii; at least one.

    Raises:
        ValueError: Samples or radii differ.
    """
    distinct = list({survival.jobs: survival for survival in survivals}.values())
    first = distinct[0]
    for other in distinct[1:]:
        check_same(first, other)
    jobs = tuple(dict.fromkeys(job for survival in distinct for job in survival.jobs))
    survived = np.logical_and.reduce([survival.survived for survival in distinct])
    return Survival(WORST_OF, jobs, first.samples, first.epsilons, survived)


def needs_worst_of(defenses: Iterable[Iterable[Survival]]) -> bool:
    """Whether any of some defenses was attacked in more than one way."""
    return any(len({survival.jobs for survival in survivals}) > 1 for survivals in defenses)


def curves_with_worst_of(outcomes: pa.Table, epsilons: tuple[float, ...]) -> pd.DataFrame:
    """The curves of a run, followed by the worst-of curve of every defense.

    The latter have the attack ``worst-of``, the backend and view ``all``, no loss, and for a job the jobs of
    the attacks, joined by ``+``. Where no defense was attacked in more than one way there are none.

    Args:
        outcomes: Columns as in :data:`robbench.schema.OUTCOMES`.
        epsilons: The grid to which the lists in ``broken`` belong, pixel scale.

    Returns:
        Columns as in :data:`robbench.schema.CURVES`.
    """
    curves = curves_of(outcomes, epsilons)
    rows = outcomes.select(list(dict.fromkeys([*_GROUP, "seed", "strategy", *SAMPLE_COLUMNS]))).to_pandas()
    groups = [
        (group, survivals_of(group, epsilons).values()) for _, group in rows.groupby(_GROUP, sort=False)
    ]
    if not needs_worst_of(survivals for _, survivals in groups):
        return curves
    worst = [worst_of_curve(group, worst_of(survivals)) for group, survivals in groups]
    return pd.concat([curves, *worst], ignore_index=True)


def attack_count(job_id: str) -> int:
    """How many attacks a worst-of curve counts: as many as its jobs, so that those that coincide count once.

    Args:
        job_id: Of the curve, as from :func:`worst_of_curve`.
    """
    return job_id.count("+") + 1


def attack_columns(curves: pd.DataFrame) -> list[str]:
    """What tells the curves of one attack from those of another: of worst-of also which attacks it counts.

    Args:
        curves: Columns as in :data:`robbench.schema.CURVES`, and ``attacks`` where they were joined.
    """
    return ["attack", "attacks"] if "attacks" in curves else ["attack"]


def worst_of_curve(rows: pd.DataFrame, survival: Survival) -> pd.DataFrame:
    """The curve of what survives every attack on a defense.

    Args:
        rows: Rows of its attacks, of outcomes or of curves: who was attacked, from which seed, how swept.
        survival: What survives all of them, as from :func:`worst_of`.

    Returns:
        Columns as in :data:`robbench.schema.CURVES`, one row per ε of ``survival``.
    """
    n, correct = len(survival.samples), survival.survived.sum(axis=0)
    interval = wilson(correct, np.array(n))
    columns = {
        **{name: rows[name].iloc[0] for name in [*_GROUP, "seed"]},
        "attack": WORST_OF,
        "backend": "all",
        "view": "all",
        "loss": "",
        "epsilon": survival.epsilons,
        "n": n,
        "n_correct": correct,
        "robust_accuracy": correct / n,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "strategy": "+".join(sorted(set(rows["strategy"]))),
        "job_id": "+".join(survival.jobs),
    }
    schema = arrow_schema(CURVES)
    frame = pd.DataFrame(columns)[schema.names]
    return pa.Table.from_pandas(frame, preserve_index=False).cast(schema).to_pandas()
