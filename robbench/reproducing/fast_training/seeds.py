"""Trainings of one defense from several seeds, taken together: means, and how far the seeds lie apart."""

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from robbench.analysis.intervals import wilson
from robbench.reproducing.collecting import DONE
from robbench.reproducing.fast_training.evidence import SUMMARY

SETTING = ["dataset", "epsilon"]
COLUMNS = (
    *(name for name in SUMMARY if name != "seed"),
    "seeds",
    "each",
    "collapsed",
    "recovered",
    "remark",
)
"""One row per defense and setting, of the trainings that were attacked.

Accuracies and costs are means; ``ci_low`` and ``ci_high`` the 95 % interval of the worst, where only the
images are left to chance. ``seeds`` is how many trainings there are, ``each`` the worst of all attacks of
every one. ``collapsed``: any did; ``recovered``: all that did recovered in part. ``remark`` is what a reader
must know of them, in a few words.
"""
_MEANS = ("clean", "pgd", "autoattack", "worst_of", "seconds", "n_forward", "n_backward", "peak_memory")


def over_seeds(summary: pd.DataFrame) -> pd.DataFrame:
    """The trainings of each defense taken together, columns as in :data:`COLUMNS`.

    Args:
        summary: One row per training, columns as in
            :data:`robbench.reproducing.fast_training.evidence.SUMMARY`.
    """
    done = summary.loc[summary["state"] == DONE]
    groups = done.groupby([*SETTING, "defense"], sort=False)
    return pd.DataFrame([_together(rows) for _, rows in groups]).reindex(columns=list(COLUMNS))


def _together(rows: pd.DataFrame) -> dict[Hashable, Any]:
    seen = rows["overfitting"].fillna("").astype(str)
    collapsed = seen.str.startswith("collapsed").to_numpy()
    recovered = seen.str.endswith("recovered").to_numpy()
    first = rows.iloc[0].to_dict()
    several = {} if len(rows) == 1 else _means(rows)
    return {
        **first,
        **several,
        "overfitting": "; ".join(dict.fromkeys(words for words in seen if words)),
        "seeds": len(rows),
        "each": tuple(rows["worst_of"]),
        "collapsed": bool(collapsed.any()),
        "recovered": bool(recovered[collapsed].all()),
        "remark": _remark(~rows["learned"].to_numpy(dtype=bool), collapsed, recovered),
    }


def _means(rows: pd.DataFrame) -> dict[str, Any]:
    means = rows[list(_MEANS)].astype(float).mean(skipna=False).to_dict()
    if math.isnan(means["worst_of"]):  # of one at least
        return {**means, "n_worst": None, "ci_low": None, "ci_high": None}
    n = int(rows["n_worst"].iloc[0])
    interval = wilson(np.array(means["worst_of"] * n), np.array(n))
    return {**means, "ci_low": float(interval.low), "ci_high": float(interval.high)}


def _remark(failed: np.ndarray, collapsed: np.ndarray, recovered: np.ndarray) -> str:
    if failed.any():
        return f"did not learn{_share(failed)}"
    if not collapsed.any():
        return ""
    return f"collapsed{_share(collapsed)}{', recovered in part' if recovered[collapsed].all() else ''}"


def _share(flags: np.ndarray) -> str:
    return "" if flags.all() else f" in {flags.sum()} of {len(flags)}"
