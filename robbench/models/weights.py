"""Weights files: written atomically, loaded only when they are what their card describes."""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from robbench.errors import UserError
from robbench.files import make_folder, write_bytes, write_json
from robbench.models.card import ModelCard, StoredModel, card_path, weights_path


def read_weights(model: StoredModel) -> dict[str, Tensor]:
    """A model's tensors, 16-bit ones widened to float32, after its file was checked against the card.

    Raises:
        UserError: The file is not in the safetensors format, or not the one its card describes.
    """
    try:
        content = model.weights.read_bytes()
    except OSError as error:
        raise UserError(f"The weights {model.weights} cannot be read: {error}.") from error
    # Byte 8 opens the JSON header of safetensors; the first eight are a length and can be anything.
    if content[8:9] != b"{" and (content[:2] == b"PK" or content[:1] == b"\x80"):
        raise UserError(
            f"{model.weights} is a pickled checkpoint, which could run code when loaded.",
            "robbench loads safetensors only. Convert it, or train the model again with --restart.",
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != model.card.sha256:
        raise UserError(
            f"{model.weights} is not the file that its card describes: its sha256 is {digest[:16]}…, "
            f"the card says {model.card.sha256[:16]}….",
            "Restore the file, or train the model again with --restart.",
        )
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise UserError(
            f"{model.weights} is no safetensors file: {error}.", "Train the model again with --restart."
        ) from error
    return {name: _widen(tensor) for name, tensor in tensors.items()}


def save_model(directory: Path, card: ModelCard, state: Mapping[str, Tensor]) -> StoredModel:
    """Write a model atomically: the weights, then the card with their sha256.

    Args:
        directory: The directory of models; ``<dataset>/<defense>`` is made inside.
        card: What the model is.
        state: Its tensors, stored as they are; see :func:`halve`.

    Raises:
        UserError: The directory cannot be written.
    """
    weights = weights_path(directory, card.dataset, card.defense)
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})
    card = dataclasses.replace(card, sha256=hashlib.sha256(content).hexdigest())
    make_folder(weights.parent)
    write_bytes(weights, content)
    write_json(card_path(weights), dataclasses.asdict(card))
    return StoredModel(weights, card)


def halve(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors rounded to 16 bits where float16 can hold them; the rounded weights are the model."""
    halved = {}
    for name, tensor in state.items():
        small = tensor.half() if tensor.dtype == torch.float32 else tensor
        halved[name] = small if torch.isfinite(small).all() else tensor
    return halved


def _widen(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.float16 else tensor
