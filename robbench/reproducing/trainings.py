"""The models behind the runs: finding them, training what is missing, and a table of what they cost."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from robbench.datasets import datasets, load_dataset
from robbench.defenses.options import build_recipe, recipe_options
from robbench.devices import choose_device
from robbench.errors import UserError
from robbench.files import make_folder, write_csv
from robbench.models import (
    ModelCard,
    StoredModel,
    card_path,
    find_model,
    read_card,
    search_path,
    weights_path,
)
from robbench.preparation import RunSettings
from robbench.reproducing.shelf import TRAININGS, Shelf
from robbench.reproducing.sweeps import Training
from robbench.reproducing.watching import Watcher
from robbench.training import TrainingRequest, parse_budget, train
from robbench.training.adopting import Adoption, adopt

COLUMNS = (
    "dataset",
    "defense",
    "title",
    "folder",
    "seed",
    "iterations",
    "recipe_iterations",
    "deviations",
    "altered",
    "batch_size",
    "held_out",
    "seconds",
    "n_forward",
    "n_backward",
    "peak_memory",
    "memory_measure",
    "overfitting",
    "clean_accuracy",
    "test_samples",
    "device",
    "precision",
    "date",
    "source",
    "sha256",
    "command",
)
"""One row per model: what it is, what it cost, in seconds and passes of one image, and how it was made.

``title`` is what print calls the defense; empty in a table from before it was recorded.
``iterations`` are those that were made, 0 for adopted weights, and ``batch_size`` the images of each.
``recipe_iterations`` is what the recipe takes by itself: the paper's schedule, where it gives one; 0 where a
budget is asked for.
``deviations`` are all other differences from the recipe, as ``steps 7 instead of 40``; empty: none. Of these
``altered`` are the ones that make it another method: differences in the defense's own options.
``held_out`` is how many training images only the watch saw.
``peak_memory`` is in bytes, 0 where it is not known; ``memory_measure`` says what is meant by it.
``overfitting`` is what was seen of catastrophic overfitting, in words; empty: nobody looked.
"""
_NOT_OF_THE_RECIPE = ("iterations", "held_out", "stop_on_collapse")
"""Of the plan: what has a column of its own, and what only watches."""


def find_trained(training: Training, models_dir: Path | None) -> StoredModel | None:
    """The first model on the search path that is what a run needs; None where there is none.

    Raises:
        UserError: A card is unreadable or lacks its weights.
    """
    for place in search_path(models_dir):
        weights = weights_path(place / training.folder, training.dataset, training.defense)
        if weights.exists() or card_path(weights).exists():
            model = read_card(weights)
            if training.is_met_by(model):
                return model
    return None


def settings_for(model: StoredModel, settings: RunSettings) -> RunSettings:
    """Settings under which the runner finds just this model."""
    home = model.weights.parent.parent
    return RunSettings(settings.data_dir, home, settings.device, settings.batch_size)


def missing_models(trainings: Iterable[Training]) -> UserError:
    """The error that says what to type for models that are not there."""
    commands = list(dict.fromkeys(training.command() for training in trainings))
    names = dict.fromkeys(f"{training.defense} on {training.dataset}" for training in trainings)
    return UserError(
        f"{'A trained model is' if len(commands) == 1 else f'{len(commands)} trained models are'} missing: "
        f"{', '.join(names)}.",
        "\n".join(
            [
                "Train them, which can take hours:",
                *(f"  {command}" for command in commands),
                "or let --train do it; --partial goes on without them and says so.",
            ]
        ),
    )


def train_missing(trainings: Sequence[Training], settings: RunSettings, watcher: Watcher) -> None:
    """Train models, one after another, into the directory of models.

    Raises:
        UserError: The data are missing, or a training fails.
    """
    device = choose_device(settings.device)
    root = settings.models_dir if settings.models_dir is not None else Path("models")
    for training in trainings:
        watcher.say(f"Training {training.defense} on {training.dataset} …")
        info, test_split = load_dataset(training.dataset, settings.data_dir, "test")
        if training.adopted:
            adopt(Adoption(info, test_split, None, root, device, training.command()))
            continue
        _, train_split = load_dataset(training.dataset, settings.data_dir, "train")
        start = find_model(training.dataset, training.start, root) if training.start else None
        request = TrainingRequest(
            defense=training.defense,
            info=info,
            train=train_split,
            test=test_split,
            options=dict(training.options),
            budget=parse_budget(training.budget) if training.budget else None,
            watch=True if training.watched else None,
            start=start,
            seed=training.seed,
            device=device,
            models_dir=root / training.folder,
            command=training.command(),
        )
        with watcher.training_progress(f"{training.defense} on {training.dataset}") as progress:
            train(request, progress)


def record_trainings(models: Iterable[tuple[Training, StoredModel]], shelf: Shelf) -> None:
    """Write what models cost onto the shelf, beside what is known of earlier ones."""
    known = {row["sha256"]: row for row in shelf.trainings().to_dict("records")}
    known |= {model.card.sha256: _row(training, model) for training, model in models}
    if not known:
        return
    table = pd.DataFrame(list(known.values())).reindex(columns=list(COLUMNS))
    make_folder(shelf.folder)
    order = ["dataset", "folder", "defense", "seed", "date", "sha256"]
    write_csv(shelf.folder / TRAININGS, table.sort_values(order, kind="stable"))


def _row(training: Training, model: StoredModel) -> dict[str, Any]:
    card = model.card
    info = datasets.get(card.dataset)
    recipe = build_recipe(card.defense, info, card.options)
    values = {name: getattr(card, name) for name in COLUMNS if hasattr(card, name)}
    deviations = {} if training.adopted else _deviations(training, card)
    return values | {
        "title": recipe.title,
        "folder": training.folder,
        # A budget is no number of iterations; that it was another one is a deviation.
        "recipe_iterations": 0 if training.budget else recipe.plan(info).iterations,
        "deviations": "; ".join(deviations.values()),
        "altered": "; ".join(words for name, words in deviations.items() if name in recipe_options(recipe)),
        # Of fewer training images than the planned batch, all are shown in every iteration.
        "batch_size": card.samples // card.iterations if card.iterations else int(card.plan["batch_size"]),
        "held_out": int(card.plan.get("held_out", 0)),
        "overfitting": card.watch.verdict if card.watch else "",
    }


def _deviations(training: Training, card: ModelCard) -> dict[str, str]:
    """What was trained otherwise than as the run asks for, in words."""
    info = datasets.get(card.dataset)
    recipe = build_recipe(card.defense, info, dict(training.options))
    plan = info.training if training.budget else recipe.plan(info)
    expected = {"network": info.network, "budget": training.budget, **recipe_options(recipe), **asdict(plan)}
    found = {"network": card.network, "budget": card.budget, **card.options, **card.plan}
    return {
        name: f"{name.replace('_', ' ')} {_written(found[name]) or 'none'} instead of "
        f"{_written(value) or 'none'}"
        for name, value in expected.items()
        if name not in _NOT_OF_THE_RECIPE and found.get(name, value) != value
    }


def _written(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
