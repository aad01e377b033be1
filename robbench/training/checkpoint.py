"""Checkpoints of a training, from which it goes on exactly as if it had never stopped."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from robbench.devices import is_out_of_memory
from robbench.errors import UserError
from robbench.files import atomic_writer, make_folder
from robbench.models.records import read_record
from robbench.models.search import CHECKPOINT_SUFFIX


@dataclass(frozen=True)
class Checkpoint:
    """A training after some of its steps.

    Random numbers need no place here: each step's generators are seeded with (seed, step).

    Attributes:
        identity: What decides the weights.
        iterations: Steps in all, which a budget in seconds does not say.
        step: Steps done.
        seconds: Time they took.
        peak_memory: Bytes in use at most so far.
        n_forward: Forward passes of one image each.
        n_backward: Backward passes of one image each.
        weights: The state dict of the defense's model.
        optimizer: The state dict of the optimizer.
        average: The moving average of the weights; empty: none is kept.
        carried: Tensors that the recipe keeps from step to step.
        watch: The record of the watch, as plain values; None: nobody looks.
        place: The kind of device and the arithmetic; empty: not known.
    """

    identity: Mapping[str, Any]
    iterations: int
    step: int
    seconds: float
    peak_memory: int
    n_forward: int
    n_backward: int
    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    average: Mapping[str, Tensor]
    carried: Mapping[str, Tensor]
    watch: Mapping[str, Any] | None
    place: str = ""


def checkpoint_path(weights: Path) -> Path:
    """The checkpoint beside a model's weights."""
    return weights.with_suffix(CHECKPOINT_SUFFIX)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically.

    Raises:
        UserError: The place cannot be written.
    """
    make_folder(path.parent)
    with atomic_writer(path) as stream:
        torch.save(vars(checkpoint), stream)


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """Read a checkpoint; nothing but tensors and plain values is unpickled.

    Raises:
        UserError: It is damaged, or no checkpoint of robbench.
    """
    with readable(path):
        return read_record(Checkpoint, torch.load(path, map_location=device, weights_only=True))


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say of a checkpoint that it is damaged, whatever is raised while it is read or gone on from.

    Raises:
        UserError: Something was raised.
    """
    try:
        yield
    except Exception as error:  # a damaged pickle raises almost anything
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            raise  # of the device, and nothing wrong with the file
        raise UserError(
            f"The checkpoint {path} cannot be read: {type(error).__name__}.",
            "Delete it, and repeat the command.",
        ) from error
