"""A program exported by torch.export."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from robbench.defenses.contract import Defense
from robbench.defenses.formats.contract import Made, ModelFormat, Wanted, named_file
from robbench.defenses.formats.factories import title_of
from robbench.defenses.formats.file_contents import read_archive
from robbench.defenses.formats.registration import register_format
from robbench.errors import UserError

if TYPE_CHECKING:
    from torch.export import ExportedProgram

HOW_TO_EXPORT = (
    "Export it so: torch.export.export(model.eval(), (images,), "
    "dynamic_shapes=({0: torch.export.Dim('batch')},)), with two images or more."
)
_TRAINING_FLAG = {"aten.dropout.default": 2, "aten.batch_norm.default": 5}
"""The operators that know a training mode, and which of their arguments it is."""


@register_format("exported-program")
class Exported(ModelFormat):
    """A program exported by torch.export.save, with a batch of any size."""

    form = "path/to/model.pt2"
    suffixes = (".pt2",)

    def load(self, name: str, wanted: Wanted) -> Made:
        path = named_file(name)
        _, sha256 = read_archive(path)
        program = _read(path)
        _check_input(program, path)
        _check_mode(program, path)
        return Made(Defense(_moved(program, wanted.device).module()), title_of(path.name), sha256)


def _read(path: Path) -> "ExportedProgram":
    # Not at the top: it takes half a second, and few need it.
    from torch.export import load

    try:
        with _no_pickled_objects(), _silent(logging.getLogger("torch.export")), warnings.catch_warnings():
            # torch 2.11 says so of the weights that it reads itself.
            warnings.filterwarnings("ignore", "The given buffer is not writable", UserWarning)
            return load(path)
    # torch raises whatever its parsing ran into.
    except Exception as error:
        raise UserError(
            f"{path} cannot be loaded as an exported program: {type(error).__name__}: {error}",
            "It should have been written by torch.export.save, with this version of torch or an older one.",
        ) from error


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Keep what torch logs of a damaged file, a traceback, from the terminal: it is raised as well."""
    kept = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = kept


@contextmanager
def _no_pickled_objects() -> Iterator[None]:
    """Keep torch from unpickling more than tensors, which it falls back to and which could run code."""
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


def _moved(program: "ExportedProgram", device: torch.device) -> "ExportedProgram":
    """A program for a device: what it makes on its way, it makes where it was exported."""
    if device.type == "cpu":
        return program
    from torch.export.passes import move_to_device_pass

    return move_to_device_pass(program, str(device))


def _check_input(program: "ExportedProgram", path: Path) -> None:
    names = program.graph_signature.user_inputs
    inputs = [
        node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in names
    ]
    if len(inputs) != 1 or not isinstance(inputs[0], Tensor):
        raise UserError(f"{path} takes {len(inputs)} inputs instead of one batch of images.", HOW_TO_EXPORT)
    batch = inputs[0].shape[0] if inputs[0].ndim else None
    if isinstance(batch, int):
        raise UserError(
            f"{path} was exported for batches of exactly {batch}; robbench needs batches of any size.",
            HOW_TO_EXPORT,
        )


def _check_mode(program: "ExportedProgram", path: Path) -> None:
    for node in program.graph.nodes:
        position = _TRAINING_FLAG.get(str(node.target))
        if position is not None and len(node.args) > position and node.args[position] is True:
            raise UserError(
                f"{path} was exported in training mode: {str(node.target).split('.')[1]} is active in it.",
                HOW_TO_EXPORT,
            )
