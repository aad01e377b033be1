"""Curves made up for the tests of figures: no result of anything."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from robbench.analysis.intervals import wilson
from robbench.schema import CURVES, arrow_schema

MNIST_GRID = tuple(float(x) for x in np.linspace(0, 0.3, 13))
CIFAR_GRID = tuple(k / 255 for k in range(9))


def made_up_curves(
    defenses: Sequence[str],
    attacks: Sequence[str],
    grid: Sequence[float] = MNIST_GRID,
    n: int = 1000,
    **constants: object,
) -> pd.DataFrame:
    """A falling curve for every pair: defenses from the weakest to the strongest, attacks likewise."""
    tables = []
    for i, defense in enumerate(defenses):
        for j, attack in enumerate(attacks):
            half = grid[-1] * (0.25 + 1.1 * i / max(len(defenses) - 1, 1)) * (1 - 0.4 * j / len(attacks)) or 1
            share = 0.985 / (1 + np.exp(8 * (np.asarray(grid) / half - 1)))
            correct = np.round(share * n).astype(int)
            interval = wilson(correct, np.array(n))
            tables.append(
                pd.DataFrame(
                    {
                        "dataset": "mnist",
                        "defense": defense,
                        "attack": attack,
                        "backend": attack.partition("@")[2].partition(":")[0] or "native",
                        "view": _view(defense, attack),
                        "loss": "cw" if "-cw" in attack else "dlr" if "-dlr" in attack else "ce",
                        "norm": "linf",
                        "criterion": "top1",
                        "epsilon": grid,
                        "n": n,
                        "n_correct": correct,
                        "robust_accuracy": correct / n,
                        "ci_low": interval.low,
                        "ci_high": interval.high,
                        "strategy": "survivors",
                        "seed": 0,
                        "job_id": "00ff",
                    }
                    | constants
                )
            )
    return pd.concat(tables, ignore_index=True).reindex(columns=arrow_schema(CURVES).names)


def _view(defense: str, attack: str) -> str:
    if defense in ("natural", "pgd-at") or not attack.startswith("bpda"):
        return "exact"
    return "substitute" if "substitute" in attack else "bpda"
