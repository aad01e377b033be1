"""Where trained models are looked for."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from robbench.errors import UserError
from robbench.models.card import StoredModel, card_path, read_card, weights_path

PACKAGE = Path(__file__).parent.parent
CHECKPOINT_SUFFIX = ".checkpoint"


@dataclass(frozen=True)
class DamagedModel:
    """A model on disk that cannot be used.

    Attributes:
        weights: Where its safetensors file is or should be.
        problem: What is wrong, in a sentence.
    """

    weights: Path
    problem: str


def search_path(models_dir: Path | None) -> list[Path]:
    """The directories searched for models: the one given, ``./models``, the one that came with robbench."""
    places = [models_dir] if models_dir is not None else []
    places += [Path("models"), _shipped_models()]
    return list({place.resolve(): place for place in places}.values())


def check_models_dir(models_dir: Path | None) -> None:
    """Refuse a directory to read from that is not there: the shipped models would silently take its place.

    Raises:
        UserError: It does not exist, or is no directory.
    """
    if models_dir is not None and not models_dir.is_dir():
        raise UserError(
            f"The models directory, {models_dir}, is {'no folder' if models_dir.exists() else 'not there'}.",
            "Name a folder that `robbench train --models-dir` filled, or leave --models-dir out.",
        )


def has_model(dataset: str, defense: str, models_dir: Path | None = None) -> bool:
    """Whether there is a model of a defense on the search path, whole or not."""
    return any(map(_is_there, _candidates(dataset, defense, models_dir)))


def find_model(
    dataset: str, defense: str, models_dir: Path | None = None, but: Collection[Path] = ()
) -> StoredModel:
    """The first model of a defense on the search path.

    Args:
        dataset: The registered dataset.
        defense: The registered defense.
        models_dir: A directory to search before the others.
        but: Weights that are passed over, since they are about to be written.

    Raises:
        UserError: There is none, or what is there lacks its weights or a readable card.
    """
    written = {_place(weights) for weights in but}
    every = _candidates(dataset, defense, models_dir)
    searched = [weights for weights in every if _place(weights) not in written]
    for weights in searched:
        if _is_there(weights):
            return read_card(weights)
    for weights in every:
        if weights not in searched and weights.exists():
            raise UserError(
                f"The only model of {defense} on {dataset} is {weights}, which is itself to be trained.",
                "Write elsewhere, with another --models-dir.",
            )
    unfinished = [path for path in searched if path.with_suffix(CHECKPOINT_SUFFIX).exists()]
    command = f"`robbench train --defense {defense} --dataset {dataset}`"
    raise UserError(
        f"There is no trained model of {defense} on {dataset}. "
        f"Looked for {', '.join(str(path) for path in searched)}.",
        f"Its training is unfinished; {command} goes on with it." if unfinished else f"Train it: {command}.",
    )


def list_models(models_dir: Path | None = None) -> list[StoredModel | DamagedModel]:
    """Every model on the search path, those hidden by an earlier directory left out.

    A file that is no card is a damaged one in the folder of a dataset, and elsewhere somebody else's.
    """
    found: dict[tuple[str, str], StoredModel | DamagedModel] = {}
    for place in search_path(models_dir):
        for card in sorted(place.glob("*/*.json")):
            key = (card.parent.name, card.stem)
            if key in found:
                continue
            weights = card.with_suffix(".safetensors")
            try:
                found[key] = read_card(weights)
            except UserError as error:
                if _is_dataset(card.parent.name):
                    found[key] = DamagedModel(weights, error.message)
    return [found[key] for key in sorted(found)]


def _is_dataset(folder: str) -> bool:
    from robbench.datasets import datasets  # imports torch, which a list of sound models need not wait for

    return folder in datasets.names()


def _candidates(dataset: str, defense: str, models_dir: Path | None) -> list[Path]:
    """The weights that a model of a defense would have in each place, in the order of search."""
    return [weights_path(place, dataset, defense) for place in search_path(models_dir)]


def _is_there(weights: Path) -> bool:
    """Whether there is a model, be it weights without their card or a card without its weights."""
    return weights.exists() or card_path(weights).exists()


def _place(weights: Path) -> Path:
    """A file's place, however its folder is written; writing replaces a link, and not what it points to."""
    return weights.parent.resolve() / weights.name


def _shipped_models() -> Path:
    """``robbench/pretrained`` in a wheel; in a checkout the ``models`` folder beside the package."""
    checkout = PACKAGE.parent
    # Beside an installed package lies site-packages, whose folders are other people's.
    return checkout / "models" if (checkout / "pyproject.toml").is_file() else PACKAGE / "pretrained"
