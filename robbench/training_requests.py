"""From what a user typed to training requests, all checked before the first training starts."""

import itertools
import shlex
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from robbench.datasets import Dataset, DatasetInfo, TrainingPlan
from robbench.defenses import defenses
from robbench.defenses.formats import find_format
from robbench.defenses.options import build_recipe, recipe_options
from robbench.errors import UserError
from robbench.models import find_model, weights_path
from robbench.registry import suggest
from robbench.spec import check_seed
from robbench.training import TrainingRequest
from robbench.training.request import settle

Splits = tuple[DatasetInfo, Dataset, Dataset]
"""A dataset's place in the benchmark, its training split and its test split."""


def make_requests(
    names: Sequence[str],
    splits: Splits,
    settings: Sequence[str],
    seeds: Sequence[int] = (0,),
    start: str | None = None,
    **shared: Any,
) -> list[TrainingRequest]:
    """One request per seed and defense.

    Of several seeds each has a directory of models of its own, ``seed-1`` and so on, inside the one given.
    Unless the user says whether to watch, all defenses are watched as soon as one asks for it: images that
    are held out from one would else be trained on by another.

    Args:
        names: Registered names of defenses.
        splits: The dataset.
        settings: ``key=value`` texts, each an option of the defense or a field of its training plan.
        seeds: The seeds, each once.
        start: The defense whose trained model all begin with, one that is found and none of those that
            are to be trained: typed again, the command then begins with the same.
        **shared: Further fields of :class:`TrainingRequest`, the same for all.

    Raises:
        UserError: No defense, an unknown one, no model to begin with, or a setting that cannot be.
    """
    if not names:
        raise UserError("No defense is given.", "Such as --defense nsq; `robbench list defenses` shows all.")
    for name in names:
        if find_format(name):
            raise UserError(
                f"robbench trains its own recipes, and {name!r} is a defense from outside.",
                "Yours trains in its own file: `robbench new-defense --kind network` writes an example.",
            )
    info, train, test = splits
    pairs = [_pair(text) for text in settings]
    recipes = {defense: build_recipe(defense, info) for defense in names}
    if shared.get("watch") is None and any(recipe.watched for recipe in recipes.values()):
        shared["watch"] = None if any(key == "held_out" for key, _ in pairs) else True
    root = shared["models_dir"]
    asked = list(itertools.product(seeds, names))
    if start is not None:
        defenses.get(start)
        outputs = [weights_path(_models_dir(root, seed, seeds), info.name, name) for seed, name in asked]
        shared["start"] = find_model(info.name, start, root, but=outputs)
    requests = []
    for seed, defense in asked:
        known = recipe_options(recipes[defense])
        options = {key: value for key, value in pairs if key in known}
        plan = {key: value for key, value in pairs if key not in known}
        plan_fields = [field.name for field in fields(TrainingPlan)]
        for key in plan:
            if key not in plan_fields:
                raise suggest(f"setting of {defense}", key, [*known, *plan_fields])
        request = TrainingRequest(
            defense,
            info,
            train,
            test,
            options,
            plan=plan,
            seed=seed,
            **{**shared, "models_dir": _models_dir(root, seed, seeds)},
        )
        request = replace(request, command=_command(request, settings, recipes[defense].watched))
        settle(request)
        requests.append(request)
    return requests


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from whole numbers with commas between, in order and each once.

    Raises:
        UserError: Something else, or a number that is no seed.
    """
    try:
        seeds = dict.fromkeys(int(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"{text!r} is no seed.", "Write --seed 0, or several: --seed 0,1,2.") from None
    return tuple(check_seed(seed) for seed in seeds)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not (key and equals and value):
        raise UserError(f"{text!r} is no setting.", "Write --set key=value, as --set iterations=2000.")
    return key, value


def _models_dir(directory: Path, seed: int, seeds: Sequence[int]) -> Path:
    return directory / f"seed-{seed}" if len(seeds) > 1 else directory


def _command(request: TrainingRequest, settings: Sequence[str], watched: bool) -> str:
    """The command that trains this defense again by itself, without what changes no result."""
    parts = [f"robbench train --defense {request.defense} --dataset {request.info.name}"]
    parts += [f"--set {shlex.quote(text)}" for text in settings]
    if request.network:
        parts.append(f"--network {request.network}")
    if request.budget:
        parts.append(f"--budget {request.budget}")
    if request.watch not in (None, watched):
        parts.append("--watch" if request.watch else "--no-watch")
    if request.start:
        parts.append(f"--start {request.start.card.defense}")
    if request.seed:
        parts.append(f"--seed {request.seed}")
    return " ".join(parts)
