"""Loading a defense by name: trained weights from disk, or a model from outside robbench."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from robbench.classifier import set_mode
from robbench.datasets import DatasetInfo, datasets
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.formats import Made, Wanted, find_format
from robbench.defenses.formats.factories import call_factory, defining_module
from robbench.defenses.formats.source_text import text_of_module
from robbench.defenses.loaded import LoadedDefense, state_hash, views_of
from robbench.defenses.options import build_recipe
from robbench.defenses.registration import defenses
from robbench.errors import UserError
from robbench.models import StoredModel, check_models_dir, find_model
from robbench.models.weights import read_weights
from robbench.networks import build_network

__all__ = [
    "LoadedDefense",
    "fill_network",
    "load_defense",
    "load_weights",
    "pretrained",
    "state_hash",
    "views_of",
]

CPU = torch.device("cpu")


def load_defense(
    name: str,
    info: DatasetInfo,
    classes: int,
    shape: tuple[int, int, int],
    models_dir: Path | None = None,
    data_dir: Path | None = None,
    device: torch.device = CPU,
) -> LoadedDefense:
    """Load a defense by its registered name, or from outside robbench.

    A registered defense is rebuilt from its model card and loaded strictly. How a model from outside is
    named, say the formats in :mod:`robbench.defenses.formats`: ``path/to/file.py:factory`` and others.

    Args:
        name: What the user typed.
        info: The dataset whose model is wanted.
        classes: The number of classes.
        shape: Channels, height and width of the images.
        models_dir: A directory of models to search before ``./models`` and the shipped ones.
        data_dir: Where the datasets are, for a factory that asks; None: the usual places.
        device: Where it will be measured; a program from a file is made for it, and others can be moved.

    Raises:
        UserError: No such defense, file, factory or folder of models; a factory that fails; a model that is
            missing, damaged or another network's.
    """
    wanted = Wanted(info.name, shape, classes, data_dir, models_dir, device)
    if model_format := find_format(name):
        return _from_outside(model_format.load(name, wanted), name)
    check_models_dir(models_dir)
    registered = defenses.get(name)
    if not (isinstance(registered, type) and issubclass(registered, DefenseRecipe)):
        made = Made(call_factory(registered, name, wanted), name, text_of_module(defining_module(registered)))
        return _from_outside(made, f"entry point {name}")
    return _from_disk(name, info, wanted, find_model(info.name, name, models_dir))


def pretrained(name: str, dataset: str = "digits", models_dir: str | Path | None = None) -> Defense:
    """A trained defense of robbench, to build one's own upon.

    Args:
        name: The registered name, such as ``"natural"``; ``robbench list models`` shows what is trained.
        dataset: The registered dataset that it was trained on.
        models_dir: A directory of models to search before ``./models`` and the shipped ones.

    Returns:
        The defense in eval mode on the CPU; its ``network`` is what lies behind its layer, if it has one.

    Raises:
        UserError: There is no such defense, dataset or model.
    """
    info = datasets.get(dataset)
    defenses.get(name)
    folder = None if models_dir is None else Path(models_dir)
    return load_defense(name, info, len(info.classes), info.shape, folder).defense


def load_weights(defense: Defense, stored: StoredModel) -> None:
    """Load a stored model's tensors into a defense, every one of them and no other.

    Raises:
        UserError: The file is damaged, or its tensors are another network's.
    """
    _fill(defense, read_weights(stored), stored)


def _fill(defense: Defense, tensors: Mapping[str, Tensor], stored: StoredModel) -> None:
    problem = _mismatch(defense.model.state_dict(), tensors)
    if problem:
        raise UserError(
            f"{stored.weights} does not fit the network {stored.card.network}: {problem}.",
            "It was made for another network, image shape or class count. Train it again with --restart.",
        )
    defense.model.load_state_dict(tensors, strict=True)


def fill_network(network: nn.Module, stored: StoredModel, info: DatasetInfo) -> None:
    """Load the weights of a stored model into a network, whatever layer stands before it there.

    Args:
        network: The model's own network, with other weights.
        stored: The model.
        info: Its dataset.

    Raises:
        UserError: The file is damaged, or its tensors are another network's.
    """
    load_weights(build_recipe(stored.card.defense, info, stored.card.options).wrap(network), stored)


def _from_outside(made: Made, origin: str) -> LoadedDefense:
    set_mode(views_of(made.defense), training=False)
    sha256 = state_hash(made.defense, made.source)
    return LoadedDefense(made.title, made.title, made.defense, sha256, None, origin)


def _from_disk(name: str, info: DatasetInfo, wanted: Wanted, stored: StoredModel) -> LoadedDefense:
    recipe, tensors = build_recipe(name, info, stored.card.options), read_weights(stored)
    defense = recipe.wrap(build_network(stored.card.network, wanted.shape, wanted.classes))
    for classes in wanted.class_counts[1:]:
        if _mismatch(defense.model.state_dict(), tensors):
            defense = recipe.wrap(build_network(stored.card.network, wanted.shape, classes))
    _fill(defense, tensors, stored)
    views_of(defense).eval()
    # Whoever reads the curves of such a model should see at once what it is.
    title = f"{recipe.title} (collapsed)" if stored.card.collapsed else recipe.title
    return LoadedDefense(name, title, defense, stored.card.sha256, stored.card, str(stored.weights))


def _mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """How the tensors of a file differ from those that a network needs; empty where they do not."""
    if missing := sorted(expected.keys() - found.keys()):
        return f"the file lacks {_some(missing)}"
    if unexpected := sorted(found.keys() - expected.keys()):
        return f"the file also holds {_some(unexpected)}"
    wrong = [
        f"{key} is {tuple(found[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in expected.items()
        if found[key].shape != tensor.shape
    ]
    return _some(wrong) if wrong else ""


def _some(items: list[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")
