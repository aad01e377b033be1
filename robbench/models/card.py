"""Model cards: what a model file holds, and where both lie."""

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robbench.errors import UserError
from robbench.models.records import read_record
from robbench.models.watch_record import WatchRecord, read_watch

_REMEDY = "Restore the file, or train the model again with --restart."


@dataclass(frozen=True)
class ModelCard:
    """What a model file holds and how it came to be.

    Attributes:
        defense: The registered defense.
        dataset: The registered dataset.
        network: The registered network.
        options: The recipe's options.
        plan: The training plan, field by field.
        seed: The seed of the training.
        command: The command that trains it again.
        seconds: Time spent in training, over all interruptions.
        samples: Training images shown, repetitions included.
        n_forward: Forward passes of one image each, those of an inner attack included.
        n_backward: Backward passes of one image each. One that goes on through the graph of a gradient, as
            FAST-AT-GA's and FAST-BAT's do, counts as any other.
        device: Where it was trained.
        precision: The arithmetic of the training: ``float32`` or ``bfloat16`` (autocast).
        versions: Of robbench, torch and Python.
        date: Day the training ended, UTC, ISO 8601.
        clean_accuracy: Share of the test split that the stored weights get right.
        test_samples: The size of that split.
        train_fingerprint: Fingerprint of the training data.
        test_fingerprint: Fingerprint of the test data.
        source: Where the data came from, in words.
        budget: The budget that the iterations were reckoned from, as ``epochs=15``; empty: none.
        peak_memory: Bytes in use at most; 0: not known.
        memory_measure: What those bytes are, in words.
        start: SHA-256 of the model whose weights it began with; empty: its own random ones.
        watch: What was seen of catastrophic overfitting; None: nobody looked.
        sha256: Of the weights file; filled in by :func:`save_model`.
    """

    defense: str
    dataset: str
    network: str
    options: Mapping[str, Any]
    plan: Mapping[str, Any]
    seed: int
    command: str
    seconds: float
    samples: int
    n_forward: int
    n_backward: int
    device: str
    precision: str
    versions: Mapping[str, str]
    date: str
    clean_accuracy: float
    test_samples: int
    train_fingerprint: str
    test_fingerprint: str
    source: str
    budget: str = ""
    peak_memory: int = 0
    memory_measure: str = ""
    start: str = ""
    watch: WatchRecord | None = None
    sha256: str = ""

    @property
    def iterations(self) -> int:
        """Steps that were taken: 0 of adopted weights, fewer than planned where a collapse ended them."""
        if self.watch is not None and self.watch.stopped:
            return self.watch.looks[-1].step
        return int(self.plan["iterations"])

    @property
    def collapsed(self) -> bool:
        """Whether the training was seen to collapse and not to recover."""
        return (
            self.watch is not None and self.watch.collapse is not None and not self.watch.collapse.recovered
        )


@dataclass(frozen=True)
class StoredModel:
    """A model on disk.

    Attributes:
        weights: The safetensors file.
        card: Its card.
    """

    weights: Path
    card: ModelCard


def weights_path(directory: Path, dataset: str, defense: str) -> Path:
    """Where a directory of models keeps a defense's weights.

    Raises:
        UserError: A name holds anything but lower-case letters, digits, ``-`` and ``_``.
    """
    for kind, name in (("dataset", dataset), ("defense", defense)):
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise UserError(
                f"{name!r} cannot name a {kind} on disk.",
                "Names are made of lower-case letters, digits, - and _.",
            )
    return directory / dataset / f"{defense}.safetensors"


def card_path(weights: Path) -> Path:
    """The card beside a weights file."""
    return weights.with_suffix(".json")


def read_card(weights: Path) -> StoredModel:
    """The model whose weights lie at a path, its card read and matched with the path.

    Raises:
        UserError: Weights or card are missing, or the card is unreadable or another model's.
    """
    path = card_path(weights)
    for needed in (weights, path):
        if not needed.is_file():
            raise UserError(f"A model is two files, weights and card, but {needed} is missing.", _REMEDY)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        watch = values.pop("watch", None)
        card = read_record(ModelCard, {**values, "watch": None if watch is None else read_watch(watch)})
        _check_settings(card)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"The model card {path} cannot be read: {error}.", _REMEDY) from error
    if (card.dataset, card.defense) != (weights.parent.name, weights.stem):
        raise UserError(
            f"The card {path} is that of {card.defense} on {card.dataset}.",
            f"A model's files are called <dataset>/<defense>, here {card.dataset}/{card.defense}.",
        )
    return StoredModel(weights, card)


def _check_settings(card: ModelCard) -> None:
    """Refuse options and a plan that no recipe has, with a TypeError."""
    for name, value in (*card.options.items(), *card.plan.items()):
        if not isinstance(value, int | float | str):
            raise TypeError(f"{name} is {reprlib.repr(value)}")
    for name in ("iterations", "batch_size"):
        if not isinstance(card.plan.get(name), int):
            raise TypeError(f"{name} of its plan is {card.plan.get(name)!r}")
