"""Loading a defense by name: trained weights from disk, or a user's factory."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from robbench.datasets import DatasetInfo
from robbench.defenses.check import check_defense
from robbench.defenses.contract import Defense, DefenseRecipe
from robbench.defenses.loaded import LoadedDefense, state_hash, views_of
from robbench.defenses.options import build_recipe
from robbench.defenses.registration import defenses
from robbench.defenses.user_factory import call_factory, factory_title, is_factory_name, load_factory
from robbench.errors import UserError
from robbench.models import StoredModel, find_model
from robbench.models.weights import read_weights
from robbench.networks import build_network

__all__ = ["LoadedDefense", "check_defense", "load_defense", "load_weights", "state_hash", "views_of"]


def load_defense(
    name: str, info: DatasetInfo, classes: int, shape: tuple[int, int, int], models_dir: Path | None = None
) -> LoadedDefense:
    """Load a defense by its registered name, or from ``path/to/file.py:factory``.

    A registered defense is rebuilt from its model card and loaded strictly. A factory is called without
    arguments and returns an ``nn.Module`` on images in [0, 1], or a :class:`Defense`.

    Args:
        name: What the user typed.
        info: The dataset whose model is wanted.
        classes: The number of classes.
        shape: Channels, height and width of the images.
        models_dir: A directory of models to search before ``./models`` and the shipped ones.

    Raises:
        UserError: No such defense, file or factory; a factory that fails; a model that is missing, damaged or
            another network's.
    """
    if is_factory_name(name):
        defense, source = load_factory(name)
        return _from_factory(factory_title(name), defense, source, name)
    registered = defenses.get(name)
    if not (isinstance(registered, type) and issubclass(registered, DefenseRecipe)):
        return _from_factory(name, call_factory(registered, name), "", f"entry point {name}")
    return _from_disk(name, info, classes, shape, find_model(info.name, name, models_dir))


def load_weights(defense: Defense, stored: StoredModel) -> None:
    """Load a stored model's tensors into a defense, every one of them and no other.

    Raises:
        UserError: The file is damaged, or its tensors are another network's.
    """
    tensors = read_weights(stored)
    problem = _mismatch(defense.model.state_dict(), tensors)
    if problem:
        raise UserError(
            f"{stored.weights} does not fit the network {stored.card.network}: {problem}.",
            "It was made for another network, image shape or class count. Train it again with --restart.",
        )
    defense.model.load_state_dict(tensors, strict=True)


def _from_factory(name: str, defense: Defense, source: str, origin: str) -> LoadedDefense:
    views_of(defense).eval()
    return LoadedDefense(name, name, defense, state_hash(defense, source), None, origin)


def _from_disk(
    name: str, info: DatasetInfo, classes: int, shape: tuple[int, int, int], stored: StoredModel
) -> LoadedDefense:
    recipe = build_recipe(name, info, stored.card.options)
    defense = recipe.wrap(build_network(stored.card.network, shape, classes))
    load_weights(defense, stored)
    views_of(defense).eval()
    return LoadedDefense(name, recipe.title, defense, stored.card.sha256, stored.card, str(stored.weights))


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
