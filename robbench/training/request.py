"""What is to be trained: a request as the user makes it, and the same with everything settled."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import torch

from robbench.datasets import Dataset, DatasetInfo, TrainingPlan
from robbench.defenses.contract import DefenseRecipe
from robbench.defenses.options import Options, build_recipe, read_value, recipe_options
from robbench.errors import UserError
from robbench.models import ModelCard, weights_path
from robbench.networks import networks
from robbench.registry import suggest

CPU = torch.device("cpu")


@dataclass(frozen=True)
class TrainingRequest:
    """A defense to train on a dataset.

    Attributes:
        defense: The registered defense.
        info: The dataset's place in the benchmark.
        train: Its training split.
        test: Its test split, for the clean accuracy on the card.
        options: What is to differ from the paper's options of the defense.
        network: The registered network; None: the dataset's.
        plan: What is to differ from the dataset's training plan, by its field names.
        seed: Fixes weights, batches and noise.
        device: Where to train.
        models_dir: The directory of models to write into.
        command: The command that asks for it, for the card.
        restart: Train anew, whatever checkpoint or model is there.
        checkpoint_seconds: Time between two checkpoints.
    """

    defense: str
    info: DatasetInfo
    train: Dataset
    test: Dataset
    options: Options = field(default_factory=dict)
    network: str | None = None
    plan: Options = field(default_factory=dict)
    seed: int = 0
    device: torch.device = CPU
    models_dir: Path = Path("models")
    command: str = ""
    restart: bool = False
    checkpoint_seconds: float = 20.0


@dataclass(frozen=True)
class SettledTraining:
    """A request with everything settled, checked before anything is written.

    Attributes:
        request: The request.
        recipe: The defense with its options.
        network: The network's name.
        plan: The training plan.
        weights: Where the model will be.
        identity: What decides the weights, by names that a user understands.
    """

    request: TrainingRequest
    recipe: DefenseRecipe
    network: str
    plan: TrainingPlan
    weights: Path
    identity: Mapping[str, Any]


def settle(request: TrainingRequest) -> SettledTraining:
    """Settle a request.

    Raises:
        UserError: An unknown defense, network or option, or a value outside its range.
    """
    info = request.info
    recipe = build_recipe(request.defense, info, request.options)
    network = request.network or info.network
    networks.get(network)
    plan = _override(recipe.plan(info), request.plan)
    weights = weights_path(request.models_dir, info.name, request.defense)
    identity = _identity(
        network, recipe_options(recipe), dataclasses.asdict(plan), request.seed, request.train.fingerprint
    )
    return SettledTraining(request, recipe, network, plan, weights, identity)


def identity_of(card: ModelCard) -> dict[str, Any]:
    """What decided the weights of a finished model."""
    return _identity(card.network, card.options, card.plan, card.seed, card.train_fingerprint)


def describe_difference(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The options in which two identities differ, as a person reads them; empty where they agree."""
    keys = [key for key in {**asked, **found} if asked.get(key) != found.get(key)]
    return ", ".join(f"{key} is {found.get(key)} there and {asked.get(key)} here" for key in keys)


def _identity(
    network: str, options: Mapping[str, Any], plan: Mapping[str, Any], seed: int, fingerprint: str
) -> dict[str, Any]:
    return {"network": network, **options, **plan, "seed": seed, "training data": fingerprint}


def _override(plan: TrainingPlan, overrides: Options) -> TrainingPlan:
    hints = get_type_hints(TrainingPlan)
    changes: dict[str, Any] = {}
    for key, value in overrides.items():
        if key not in hints:
            raise suggest("option of a training plan", key, hints)
        changes[key] = read_value(key, value, hints[key])
    changed = dataclasses.replace(plan, **changes)
    if min(changed.iterations, changed.batch_size) < 1:
        raise UserError(
            f"A training takes at least 1 iteration of at least 1 image, not {changed.iterations} of "
            f"{changed.batch_size}."
        )
    if not 0 < changed.learning_rate < float("inf") or not 0 <= changed.weight_decay < float("inf"):
        raise UserError(
            f"The learning rate is positive and the weight decay not negative, both finite; these are "
            f"{changed.learning_rate} and {changed.weight_decay}."
        )
    return changed
