"""Adopting weights that others trained: torchvision's Inception-v3 as the natural model of ImageNet."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from robbench.datasets import Dataset, DatasetInfo
from robbench.errors import UserError
from robbench.models import ModelCard, card_path, read_card, weights_path
from robbench.models.weights import halve, save_model
from robbench.networks import build_network
from robbench.provenance import provenance
from robbench.training.checkpoint import checkpoint_path
from robbench.training.lock import sole_writer
from robbench.training.storing import VERSIONS, clean_accuracy

NETWORK, DEFENSE = "inception_v3", "natural"
_EXPECTED = "Fetch the file again: torchvision's state_dict is expected, as it lies on its server."
_AUXILIARY = "AuxLogits."
"""The classifier that helps training alone; robbench's network is built without it."""


@dataclass(frozen=True)
class Adoption:
    """What is adopted, and where to.

    Attributes:
        info: The dataset's place in the benchmark.
        test: Its test split, for the clean accuracy on the card.
        weights: A file of torchvision's weights; None: torchvision's cache, or a download into it.
        models_dir: The directory of models to write into.
        device: Where the clean accuracy is measured.
        command: The command that asks for it, for the card.
        restart: Replace whatever model is there; else only one adopted from the same weights is.
    """

    info: DatasetInfo
    test: Dataset
    weights: Path | None
    models_dir: Path
    device: torch.device
    command: str
    restart: bool = False


def adopt(asked: Adoption) -> ModelCard:
    """Store pretrained weights as the natural model of a dataset, measured as stored.

    Raises:
        UserError: The dataset has another network or other classes; the weights are missing, damaged or
            another network's; another model is in the way, or another process writes it; the place cannot be
            written.
    """
    if asked.info.network != NETWORK:
        raise UserError(
            f"Weights are adopted for {NETWORK}; {asked.info.title} has {asked.info.network}.",
            f"Train it: robbench train --defense {DEFENSE} --dataset {asked.info.name}.",
        )
    path = asked.weights if asked.weights is not None else _torchvision_file()
    tensors = _read(path)
    model = build_network(NETWORK, asked.test.shape, asked.test.classes)
    _fill(model, tensors, path)
    place = weights_path(asked.models_dir, asked.info.name, DEFENSE)
    origin = hashlib.sha256(path.read_bytes()).hexdigest()
    with sole_writer(place):
        if not asked.restart:
            _refuse_another(place, origin)
        card = _store(model, asked, f"adopted: {path.name}", origin)
        # Else a training would go on from it, and replace what was adopted.
        checkpoint_path(place).unlink(missing_ok=True)
        return card


def _refuse_another(place: Path, origin: str) -> None:
    """Refuse to replace what was not adopted from the same weights.

    Raises:
        UserError: Another model, or an unfinished training, is there.
    """
    remedy = "Replace it with `robbench adopt --restart`, or keep both with another --models-dir."
    if checkpoint_path(place).exists():
        raise UserError(f"{checkpoint_path(place)} is of a training that was interrupted.", remedy)
    if place.exists() and card_path(place).exists() and read_card(place).card.start != origin:
        raise UserError(f"{place} is another model, not adopted from these weights.", remedy)


def _store(model: nn.Module, asked: Adoption, source: str, origin: str) -> ModelCard:
    """Round the weights, measure them on the test split, write the model."""
    tensors = halve(model.state_dict())
    model.load_state_dict(tensors)
    model.to(asked.device).eval()
    record = provenance(asked.device, asked.command)
    card = ModelCard(
        defense=DEFENSE,
        dataset=asked.info.name,
        network=NETWORK,
        options={},
        # Nothing was trained here; what it took elsewhere is not known.
        plan={"iterations": 0, "batch_size": 1},
        seed=0,
        command=asked.command,
        seconds=0.0,
        samples=0,
        n_forward=0,
        n_backward=0,
        device=record["device"],
        precision="float32",
        versions={name: record["versions"][name] for name in VERSIONS},
        date=datetime.now(UTC).date().isoformat(),
        clean_accuracy=clean_accuracy(model, asked.test, asked.device),
        test_samples=len(asked.test),
        train_fingerprint="",
        test_fingerprint=asked.test.fingerprint,
        source=source,
        start=origin,
    )
    return save_model(asked.models_dir, card, tensors).card


def _torchvision_file() -> Path:
    """The file of torchvision's ImageNet weights, downloaded where its cache lacks it."""
    from torchvision.models import Inception_V3_Weights

    url = Inception_V3_Weights.IMAGENET1K_V1.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        # The end of the name is the beginning of the file's hash, which the download is checked against.
        expected = path.stem.rpartition("-")[2]
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=expected, progress=False)
        except (URLError, OSError, RuntimeError) as error:
            raise UserError(
                f"torchvision's weights could not be downloaded from {url}: {error}.",
                "Fetch the file elsewhere, and give it with --weights.",
            ) from error
    return path


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint; nothing in it is run."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(
            f"The weights {path} cannot be read: {error.strerror or error}.", "Check --weights."
        ) from error
    except Exception as error:  # a damaged pickle raises almost anything, and torch's advice is to trust it
        raise UserError(
            f"The weights {path} cannot be read: the file is damaged, or holds more than tensors.", _EXPECTED
        ) from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise UserError(f"{path} holds no table of tensors by name.", _EXPECTED)
    return found


def _fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load torchvision's tensors behind the normalization, every one of them and no other."""
    given = {f"1.{name}": value for name, value in tensors.items() if not name.startswith(_AUXILIARY)}
    expected = model.state_dict()
    wrong = [name for name in given if name not in expected or expected[name].shape != given[name].shape]
    # A counter that inference does not read, and that files of 2018 lack.
    needed = [name for name in expected if name.startswith("1.") and not name.endswith("num_batches_tracked")]
    missing = [name for name in needed if name not in given]
    if wrong or missing:
        raise UserError(
            f"{path} does not fit {NETWORK} of {len(expected['1.fc.bias'])} classes: "
            f"{len(wrong)} tensors are other ones and {len(missing)} are missing, such as "
            f"{(wrong + missing)[0].removeprefix('1.')}.",
            "ImageNet's weights need the validation split's 1000 class folders.",
        )
    model.load_state_dict({**expected, **given})
