"""Whether the outcomes of two backends differ by a known cause, and by how much each cause moves a curve."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from robbench.agreeing.evidence import BFLOAT16, Evidence
from robbench.agreeing.families import MORE_RESTARTS, NATIVE, NUDGED, RESTARTS, SHORT_STEP
from robbench.agreeing.request import AS_RUN, AS_RUN_BFLOAT16, SURVIVORS
from robbench.analysis.agreement import (
    carried_upward,
    change,
    compare_cells,
    differences_at,
    pair_points,
    same_attack_p_value,
)
from robbench.analysis.paired import SIGNIFICANCE, holm
from robbench.analysis.survival import Survival

EQUAL, CHANCE, ROUNDING, UNEXPLAINED = "equal", "chance", "rounding", "unexplained"
PARTS = ("precision", "search", "any iterate", "kept broken", "rest")
"""The steps from what ``robbench run`` reports to what a library does; they add up to the whole."""


def points_table(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """Every pair of backends at every radius, see :func:`robbench.analysis.agreement.pair_points`.

    ``p_holm`` is corrected over all rows, and over one test per pair of whether it differs by more than its
    seeds do, which the pairs' table has.
    """
    tables = [pair_points(one.last).assign(defense=one.defense, attack=one.family.name) for one in evidence]
    points = pd.concat(tables, ignore_index=True)
    return points.reindex(columns=list(dict.fromkeys(["defense", "attack", *points.columns])))


def judge_pairs(evidence: Sequence[Evidence], points: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per pair of backends with what explains its differences; and the points with ``p_holm``."""
    rows = [_pair(one, first, second) for one in evidence for first, second in combinations(one.last, 2)]
    corrected = holm(np.array([*points["p_value"], *(row["p_seeds"] for row in rows)]))
    points = points.assign(p_holm=corrected[: len(points)])
    keys = ["defense", "attack", "first", "second"]
    by_pair = dict(list(points.groupby(keys, sort=False)))
    judged = []
    for row, p_seeds in zip(rows, corrected[len(points) :], strict=True):
        own = by_pair[tuple(row[key] for key in keys)]
        pair = {**row, **_largest(own), "p_seeds_holm": float(p_seeds)}
        judged.append({**pair, **_verdict(pair, min(own["p_holm"]))})
    return pd.DataFrame(judged).astype({"without_start": "Int64", "rounding": "Int64"}), points


def causes_table(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """What each known cause changes, one row per defense, attack and cause; measured on one backend."""
    rows = []
    for one in evidence:
        for cause, backend, before, after in _causes(one):
            moved = change(before, after)
            cells = compare_cells(before, after).attacked
            rows.append(
                {
                    "defense": one.defense,
                    "attack": one.family.name,
                    "cause": cause,
                    "backend": backend,
                    "cells": cells,
                    "changed": moved.cells,
                    "epsilon": moved.epsilon,
                    "points": moved.points,
                }
            )
    return pd.DataFrame(rows)


def ladder_table(evidence: Sequence[Evidence], pairs: pd.DataFrame) -> pd.DataFrame:
    """From what ``robbench run`` reports to each library, cause by cause, where the two differ most.

    Empty where native takes no part. The columns :data:`PARTS` are points of accuracy and add up to
    ``difference``.
    """
    explained = {
        (pair["defense"], pair["attack"], pair["second"]): pair["verdict"]
        for pair in pairs.to_dict("records")
        if pair["first"] == NATIVE
    }
    rows = []
    for one in evidence:
        if one.as_run is None:
            continue
        for library in [name for name in one.last if name != NATIVE]:
            stages = _stages(one, library)
            gaps = stages[-1].accuracy - stages[0].accuracy
            at = int(np.argmax(np.abs(gaps)))
            rows.append(
                {
                    "defense": one.defense,
                    "attack": one.family.name,
                    "library": library,
                    "epsilon": one.epsilons[at],
                    "run_accuracy": float(stages[0].accuracy[at]),
                    "library_accuracy": float(stages[-1].accuracy[at]),
                    "difference": float(100 * gaps[at]),
                    **dict(zip(PARTS, map(float, differences_at(stages, at)), strict=True)),
                    "rest_is": explained[one.defense, one.family.name, library],
                }
            )
    return pd.DataFrame(rows)


def _stages(one: Evidence, library: str) -> list[Survival]:
    """From ``robbench run`` to a library, one cause at a time."""
    return [
        one.native[AS_RUN_BFLOAT16 if one.precision == BFLOAT16 else AS_RUN],
        one.native[AS_RUN],
        one.native[SURVIVORS],
        carried_upward(one.last[NATIVE]),
        one.last[NATIVE],
        one.last[library],
    ]


def _causes(one: Evidence) -> list[tuple[str, str, Survival, Survival]]:
    """Name, backend, and the outcomes without and with each cause."""
    first = one.family.reference
    last = one.last[first]
    rows = [("another seed", name, one.last[name], one.other_seed[name]) for name in one.last]
    if one.without_start:
        rows.append(("no random start", first, last, one.without_start[first]))
    if one.native:
        survivors, run = one.native[SURVIVORS], one.native[AS_RUN]
        rows += [
            ("broken at ε stays broken above", first, last, carried_upward(last)),
            ("any iterate counts, not the last alone", first, carried_upward(last), survivors),
            ("strategy auto instead of survivors", first, survivors, run),
        ]
    if AS_RUN_BFLOAT16 in one.native:
        rounded = one.native[AS_RUN_BFLOAT16]
        rows.append(("bfloat16 steps instead of float32", first, one.native[AS_RUN], rounded))
    if RESTARTS in one.variants:
        rows.append((f"{MORE_RESTARTS} times the restarts", first, last, one.variants[RESTARTS]))
    if SHORT_STEP in one.variants:
        rows.append(("foolbox's default step", first, last, one.variants[SHORT_STEP]))
    if NUDGED in one.variants and one.without_start:
        rows.append(
            ("rounding: a step longer by 1e-5", first, one.without_start[first], one.variants[NUDGED])
        )
    return rows


def _pair(one: Evidence, first: str, second: str) -> dict[str, Any]:
    cells = compare_cells(one.last[first], one.last[second])
    within = [compare_cells(one.last[name], one.other_seed[name]).different for name in (first, second)]
    row: dict[str, Any] = {
        "defense": one.defense,
        "attack": one.family.name,
        "first": first,
        "second": second,
        "cells": cells.attacked,
        "equal_share": cells.equal_share,
        "only_first_broken": cells.only_first,
        "only_second_broken": cells.only_second,
        "within_first": within[0],
        "within_second": within[1],
        "without_start": None,
        "rounding": None,
        "p_seeds": same_attack_p_value(
            (one.last[first], one.other_seed[first]), (one.last[second], one.other_seed[second])
        ),
    }
    if one.without_start:
        row["without_start"] = compare_cells(one.without_start[first], one.without_start[second]).different
    if one.without_start and NUDGED in one.variants:
        twin = one.without_start[one.family.reference]
        row["rounding"] = compare_cells(twin, one.variants[NUDGED]).different
    return row


def _largest(points: pd.DataFrame) -> dict[str, Any]:
    """The radius of the largest difference, and what was found there."""
    point = points.iloc[int(points["difference"].abs().argmax())]
    return {key: float(point[key]) for key in ("epsilon", "difference", "ci_low", "ci_high", "p_holm")}


def _verdict(pair: dict[str, Any], p_holm: float) -> dict[str, str]:
    """What explains the differences of a pair, and the evidence in words."""
    different = pair["only_first_broken"] + pair["only_second_broken"]
    off, nudged = pair["without_start"], pair["rounding"]
    within = f"{pair['within_first']} and {pair['within_second']} between two seeds of each"
    if off and (not nudged or binomtest(off, off + nudged, 0.5, "greater").pvalue < SIGNIFICANCE):
        more = f", and rounding moves {nudged}" if nudged is not None else ""
        return _says(UNEXPLAINED, f"{off} cells differ even without a random start{more}")
    if not different:
        return _says(EQUAL, "equal to the sample")
    if off is None and not (pair["within_first"] or pair["within_second"]):
        return _says(UNEXPLAINED, f"the seed changes neither, yet {different} cells differ")
    if min(p_holm, pair["p_seeds_holm"]) < SIGNIFICANCE:
        return _says(UNEXPLAINED, f"{different} cells differ, more than chance: {within}")
    if off:
        return _says(ROUNDING, f"without a random start {off} cells differ, and rounding moves {nudged}")
    if off is None:
        return _says(CHANCE, f"{different} cells differ, {within}")
    return _says(CHANCE, f"{different} cells differ by the random start, {within}, none without it")


def _says(verdict: str, why: str) -> dict[str, str]:
    return {"verdict": verdict, "why": why}
