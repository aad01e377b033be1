"""From a defense's or dataset's training plan and what a user wants to the plan that is followed."""

import dataclasses
from typing import Any, NamedTuple, get_type_hints

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.contract import DefenseRecipe
from robbench.defenses.options import Options, read_value
from robbench.errors import UserError
from robbench.registry import suggest
from robbench.training.batches import steps_per_epoch
from robbench.training.budget import Budget, steps_of_epochs

MOST_HELD_OUT = 1000
SHARE_HELD_OUT = 10
"""A watch holds out one image in so many, and at most :data:`MOST_HELD_OUT`."""


class Wanted(NamedTuple):
    """What a user wants of a training plan.

    Attributes:
        changes: Fields of the plan that are to differ.
        budget: How long to train, if not as the plan says.
        watch: Whether to hold images out; None: as the defense says.
    """

    changes: Options
    budget: Budget | None = None
    watch: bool | None = None


def settle_plan(recipe: DefenseRecipe, info: DatasetInfo, images: int, wanted: Wanted) -> TrainingPlan:
    """The plan that is followed. Under a budget in seconds its iterations mean nothing until measured.

    Args:
        recipe: The defense.
        info: The dataset.
        images: In its training split.
        wanted: What the user wants.

    Raises:
        UserError: No such field, a value outside its range, or wishes that contradict each other.
    """
    changes = _read(wanted.changes)
    if wanted.budget and "iterations" in changes:
        raise UserError(
            f"The budget {wanted.budget} says how long to train, and so does "
            f"iterations={changes['iterations']}.",
            "Give one of them.",
        )
    plan = info.training if wanted.budget else recipe.plan(info)
    watched = recipe.watched if wanted.watch is None else wanted.watch
    held_out = min(MOST_HELD_OUT, images // SHARE_HELD_OUT) if watched else 0
    plan = dataclasses.replace(plan, **{"held_out": held_out, **changes})
    _check(plan, images)
    if (plan.held_out > 0) != (held_out > 0) and wanted.watch is not None:
        raise UserError(
            f"The training is {'' if wanted.watch else 'not '}to be watched, and {plan.held_out} images are "
            "held out for that.",
            "Give --watch or --no-watch, or --set held_out=500, but not both.",
        )
    if wanted.budget and wanted.budget.unit == "epochs":
        steps = steps_of_epochs(wanted.budget.amount, steps_per_epoch(images, plan))
        plan = dataclasses.replace(plan, iterations=steps)
    return plan


def _read(wanted: Options) -> dict[str, Any]:
    hints = get_type_hints(TrainingPlan)
    changes: dict[str, Any] = {}
    for key, value in wanted.items():
        if key not in hints:
            raise suggest("option of a training plan", key, hints)
        changes[key] = read_value(key, value, hints[key])
    return changes


def _check(plan: TrainingPlan, images: int) -> None:
    if min(plan.iterations, plan.batch_size) < 1:
        raise UserError(
            f"A training takes at least 1 iteration of at least 1 image, not {plan.iterations} of "
            f"{plan.batch_size}."
        )
    if not 0 < plan.learning_rate < float("inf") or not 0 <= plan.weight_decay < float("inf"):
        raise UserError(
            f"The learning rate is positive and the weight decay not negative, both finite; these are "
            f"{plan.learning_rate} and {plan.weight_decay}."
        )
    for name, share in (("label_smoothing", plan.label_smoothing), ("averaging", plan.averaging)):
        if not 0 <= share < 1:
            raise UserError(f"{name} lies at 0 or above and below 1, not at {share}.", "0 switches it off.")
    if not 0 <= plan.held_out <= images // 2:
        raise UserError(
            f"Of {images} training images at most half can be held out, not {plan.held_out}.",
            "held_out=0 holds out none, and nothing is watched.",
        )
    if plan.stop_on_collapse and not plan.held_out:
        raise UserError(
            "A training that nobody watches cannot be stopped when it collapses.",
            "Give --watch too, or leave --stop-on-collapse out.",
        )
