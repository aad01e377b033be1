"""What is to be trained: a request as the user makes it, and the same with everything settled."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from robbench.datasets import Dataset, DatasetInfo, TrainingPlan
from robbench.defenses.contract import DefenseRecipe
from robbench.defenses.options import Options, build_recipe, recipe_options
from robbench.errors import UserError
from robbench.models import ModelCard, StoredModel, weights_path
from robbench.networks import build_network
from robbench.training.budget import Budget
from robbench.training.plan import Wanted, settle_plan

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
        plan: What is to differ from the defense's training plan, by its field names.
        budget: How long to train, in place of the plan's iterations. The rest of the plan is then the
            dataset's, whatever the defense's own is: defenses under one budget differ in nothing else.
        watch: Whether to hold images out and watch for catastrophic overfitting; None: as the defense says. A
            number of them, ``held_out``, in ``plan`` wins.
        start: A stored model whose weights the network begins with: fine-tuning. None: random weights.
        seed: Fixes weights, batches and noise.
        device: Where to train.
        models_dir: The directory of models to write into.
        command: The command that asks for it, for the card.
        restart: Train anew, whatever checkpoint or model is there; asked again after an interruption, go on.
        checkpoint_seconds: Time between two checkpoints.
    """

    defense: str
    info: DatasetInfo
    train: Dataset
    test: Dataset
    options: Options = field(default_factory=dict)
    network: str | None = None
    plan: Options = field(default_factory=dict)
    budget: Budget | None = None
    watch: bool | None = None
    start: StoredModel | None = None
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
        plan: The training plan; under a budget in seconds its iterations mean nothing until measured.
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
    _check_splits(request.train, request.test)
    wanted = Wanted(request.plan, request.budget, request.watch)
    with torch.random.fork_rng(devices=[]):  # its weights are of no use, and the caller's generator stays
        built = build_network(network, request.train.shape, request.train.classes)  # some refuse small images
        _check_start(request.start, network)
        plan = settle_plan(recipe, info, len(request.train), wanted)
        if min(plan.batch_size, len(request.train) - plan.held_out) == 1:
            _check_single_images(built, network, request.train.shape)
    weights = weights_path(request.models_dir, info.name, request.defense)
    identity = _identity(
        network,
        recipe_options(recipe),
        dataclasses.asdict(plan),
        str(request.budget or ""),
        request.seed,
        request.train.fingerprint,
        request.start.card.sha256 if request.start else "",
    )
    return SettledTraining(request, recipe, network, plan, weights, identity)


def _check_start(start: StoredModel | None, network: str) -> None:
    """Refuse to begin with the weights of another network."""
    if start is not None and start.card.network != network:
        raise UserError(
            f"{start.weights} holds the network {start.card.network}, and {network} is to be trained.",
            f"Give --network {start.card.network}, or begin with another model.",
        )


def _check_splits(train: Dataset, test: Dataset) -> None:
    """Refuse two splits in which a label may mean different classes."""
    if train.numbered_folders != test.numbered_folders:
        one = min(set(train.numbered_folders) ^ set(test.numbered_folders))
        has, lacks = ("training", "test") if one in train.numbered_folders else ("test", "training")
        raise UserError(
            f"The {has} split has a class folder {one}, and the {lacks} split none; folders are numbered by "
            "their order, so that labels of the two would mean different classes.",
            "Give both splits the same class folders, or name all by their numbers.",
        )
    if test.classes > train.classes:
        raise UserError(
            f"The test split has labels up to {test.classes - 1}, the training split only up to "
            f"{train.classes - 1}.",
            "Train on images of every class that is tested.",
        )


def _check_single_images(built: nn.Module, network: str, shape: tuple[int, int, int]) -> None:
    """Refuse to train on batches of one image what normalizes a channel whose one value is all there is."""
    try:
        with torch.no_grad():
            built.train()(torch.zeros(1, *shape))
    except ValueError as error:
        raise UserError(
            f"{network} normalizes over its batches, and of one image these leave it a single value.",
            "Train on batches of at least 2 images: --set batch_size=2.",
        ) from error


def identity_of(card: ModelCard) -> dict[str, Any]:
    """What decided the weights of a finished model."""
    # A card from before a field was there was trained by that field's default.
    defaults = {field.name: field.default for field in dataclasses.fields(TrainingPlan)}
    plan = {**defaults, **card.plan}
    return _identity(
        card.network, card.options, plan, card.budget, card.seed, card.train_fingerprint, card.start
    )


def describe_difference(asked: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The options in which two identities differ, as a person reads them; empty where they agree."""
    keys = [key for key in {**asked, **found} if asked.get(key) != found.get(key)]
    return ", ".join(f"{key} is {found.get(key)} there and {asked.get(key)} here" for key in keys)


def _identity(
    network: str,
    options: Mapping[str, Any],
    plan: Mapping[str, Any],
    budget: str,
    seed: int,
    fingerprint: str,
    start: str,
) -> dict[str, Any]:
    identity = {"network": network, **options, **plan, "seed": seed, "training data": fingerprint}
    if start:
        identity["weights to begin with"] = start
    if budget.startswith("seconds"):
        # Asked for by time: the iterations are what this machine made of it.
        del identity["iterations"]
        identity["budget"] = budget
    return identity
