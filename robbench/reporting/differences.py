"""The part of a report that compares: defenses with a baseline, where that can be done."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from robbench.comparing import ComparisonRequest, find_differences, gather
from robbench.errors import UserError
from robbench.figures.titles import defense_titles
from robbench.registry import suggest
from robbench.text_table import TextTable

PREFERRED = ("pgd-at", "natural")
"""Baselines, if nobody names one: the first that is there."""


class Differences(NamedTuple):
    """What the comparison on one dataset, norm and criterion found."""

    baseline: str
    verdicts: list[TextTable]
    """Empty where nothing could be compared."""
    details: list[tuple[str, TextTable]]
    """Further tables under a title."""
    notes: list[str]
    refusal: str
    """Why nothing could be compared; empty where it could."""


def check_baseline(baseline: str | None, curves: pd.DataFrame) -> None:
    """Refuse a baseline that no run has.

    Raises:
        UserError: It is not among the defenses of the curves.
    """
    known = set(curves["defense"])
    if baseline is not None and baseline not in known:
        raise suggest("defense in these runs", baseline, known)


def differences(results: Path, baseline: str | None, curves: pd.DataFrame) -> Differences | None:
    """Compare the defenses of some curves with a baseline.

    Args:
        results: Where the runs are.
        baseline: The baseline; None: one of :data:`PREFERRED`.
        curves: Of one dataset, norm and criterion; columns as in :data:`robbench.schema.CURVES`.

    Returns:
        What was found; None where there is no baseline, or nothing beside it.

    Raises:
        UserError: A run's outcomes are damaged.
    """
    known = list(dict.fromkeys(curves["defense"]))
    chosen = next((name for name in ([baseline] if baseline else PREFERRED) if name in known), None)
    if chosen is None or len(known) == 1:
        return None
    head, titles = curves.iloc[0], defense_titles(curves)
    dataset, norm, criterion = head["dataset"], head["norm"], head["criterion"]
    request = ComparisonRequest(
        results, chosen, dataset=dataset, norm=norm, criterion=criterion, titles=titles
    )
    found = gather(results)  # what is damaged is for who writes the report, not for its readers
    try:
        compared = find_differences(request, found)
    except UserError as error:
        return Differences(titles[chosen], [], [], [], str(error))
    points, verdicts, cost = compared.datasets[0].tables
    details = [("Accuracies and differences at three radii", points), ("What it cost", cost)]
    return Differences(titles[chosen], [verdicts], details, compared.notes, "")
