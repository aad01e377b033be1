"""The whole path of Table 1 on the photographs that foolbox ships, with weights made up for them."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from robbench.datasets import Dataset, DatasetInfo, load_dataset
from robbench.defenses.options import build_recipe, recipe_options
from robbench.executors import SilentObserver
from robbench.models import ModelCard
from robbench.models.weights import save_model
from robbench.networks import build_network
from robbench.preparation import PreparedRun, RunSettings, prepare
from robbench.reproducing.sample_pictures import sample_files
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.sweeps import PaperRun
from robbench.running import run as run_sweep

_ORIGIN = "made-up weights"
_RIDGE = 1e-3


def run_trial(runs: Sequence[PaperRun], shelf: Shelf, images: int) -> None:
    """Run what is missing of the trial.

    Args:
        runs: Of models that exist only while this runs.
        shelf: Where the runs are kept.
        images: How many photographs.
    """
    missing = [run for run in runs if shelf.stored(run) is None]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _lay_out_images(place / "data" / "val", images)
        for defense in dict.fromkeys(run.training.defense for run in missing):
            _make_model(defense, place)
        for run in missing:
            _run(run, place, shelf)


def _lay_out_images(folder: Path, count: int) -> None:
    """The photographs as ImageNet lies on disk: a folder per class, here named by number."""
    for path in sample_files("imagenet")[:count]:
        label = path.stem.rpartition("_")[2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / label / path.name)


def _make_model(defense: str, place: Path) -> None:
    """Inception-v3 with random filters, normalized on the images, and a readout that tells them apart."""
    info, dataset = load_dataset("imagenet", place / "data")
    torch.manual_seed(0)
    recipe = build_recipe(defense, info)
    network = build_network(info.network, dataset.shape, dataset.classes)
    made = recipe.wrap(network)
    images, labels, _ = dataset.samples(torch.arange(len(dataset)))
    _fit_readout(made.model, network, images, labels)
    _store(defense, info, dataset, made.model.state_dict(), place)


def _fit_readout(model: Any, network: Any, images: Tensor, labels: Tensor) -> None:
    """Set batch normalization and the last layer from the images alone; ridge regression to the classes."""
    features: list[Tensor] = []
    last: nn.Linear = network[1].fc
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # plain means of what follows
    hook = last.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    with torch.no_grad():
        model.train()(images)
        model.eval()(images)
        hook.remove()
        seen = features[-1].double()
        mean = seen.mean(0)
        centered = seen - mean
        targets = nn.functional.one_hot(labels, last.out_features).double() - 1 / last.out_features
        scale = centered.square().sum(1).mean()
        kernel = centered @ centered.T + _RIDGE * scale * torch.eye(len(seen), dtype=torch.float64)
        weight = torch.linalg.solve(kernel, targets).T @ centered
        last.weight.copy_(10 * weight)
        last.bias.copy_(-10 * weight @ mean)


def _store(defense: str, info: DatasetInfo, dataset: Dataset, state: dict[str, Tensor], place: Path) -> None:
    card = ModelCard(
        defense=defense,
        dataset=info.name,
        network=info.network,
        options=recipe_options(build_recipe(defense, info)),
        plan={"iterations": 0, "batch_size": 1},
        seed=0,
        command="",
        seconds=0.0,
        samples=0,
        n_forward=0,
        n_backward=0,
        device="",
        precision="float32",
        versions={},
        date=datetime.now(UTC).date().isoformat(),
        clean_accuracy=0.0,
        test_samples=len(dataset),
        train_fingerprint="",
        test_fingerprint=dataset.fingerprint,
        source=_ORIGIN,
    )
    save_model(place / "models", card, state)


def _run(run: PaperRun, place: Path, shelf: Shelf) -> None:
    settings = RunSettings(place / "data", place / "models")
    ready = _without_places(prepare(run.spec(None), settings, "robbench reproduce table1-trial"), run)
    run_sweep(ready, shelf.run_folder(run, ready.manifest["identity"]), SilentObserver())


def _without_places(ready: PreparedRun, run: PaperRun) -> PreparedRun:
    """The run with a record that names no temporary folder."""
    defenses = ready.manifest["defenses"]
    name = run.training.defense
    return replace(
        ready,
        manifest={**ready.manifest, "defenses": {name: {**defenses[name], "origin": _ORIGIN}}},
    )
