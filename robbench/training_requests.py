"""From what a user typed to training requests, all checked before the first training starts."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from robbench.datasets import Dataset, DatasetInfo, TrainingPlan
from robbench.defenses.options import build_recipe, recipe_options
from robbench.errors import UserError
from robbench.registry import suggest
from robbench.training import TrainingRequest
from robbench.training.request import settle

Splits = tuple[DatasetInfo, Dataset, Dataset]
"""A dataset's place in the benchmark, its training split and its test split."""


def make_requests(
    defenses: Sequence[str], splits: Splits, settings: Sequence[str], **shared: Any
) -> list[TrainingRequest]:
    """One request per defense.

    Args:
        defenses: Registered names.
        splits: The dataset.
        settings: ``key=value`` texts, each an option of the defense or a field of its training plan.
        **shared: Further fields of :class:`TrainingRequest`, the same for all.

    Raises:
        UserError: No defense, an unknown one, or a setting that cannot be.
    """
    if not defenses:
        raise UserError("No defense is given.", "Such as --defense nsq; `robbench list defenses` shows all.")
    info, train, test = splits
    pairs = [_pair(text) for text in settings]
    requests = []
    for defense in defenses:
        known = recipe_options(build_recipe(defense, info))
        options = {key: value for key, value in pairs if key in known}
        plan = {key: value for key, value in pairs if key not in known}
        plan_fields = [field.name for field in fields(TrainingPlan)]
        for key in plan:
            if key not in plan_fields:
                raise suggest(f"setting of {defense}", key, [*known, *plan_fields])
        command = _command(defense, info.name, settings, shared)
        request = TrainingRequest(defense, info, train, test, options, plan=plan, command=command, **shared)
        settle(request)
        requests.append(request)
    return requests


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not (key and equals and value):
        raise UserError(f"{text!r} is no setting.", "Write --set key=value, as --set iterations=2000.")
    return key, value


def _command(defense: str, dataset: str, settings: Sequence[str], shared: dict[str, Any]) -> str:
    """The command that trains this defense again, without what changes no result."""
    parts = [f"robbench train --defense {defense} --dataset {dataset}"]
    parts += [f"--set {text}" for text in settings]
    if shared.get("network"):
        parts.append(f"--network {shared['network']}")
    if shared.get("seed"):
        parts.append(f"--seed {shared['seed']}")
    return " ".join(parts)
