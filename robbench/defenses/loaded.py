"""A defense in memory, ready to be attacked."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from robbench.defenses.contract import Defense
from robbench.errors import UserError
from robbench.models import ModelCard


@dataclass(frozen=True)
class LoadedDefense:
    """A defense ready to be attacked.

    Attributes:
        name: The registered name, or what its format calls it, as ``file.factory``; fit for a file name.
        title: What a legend prints.
        defense: The classifier and its views.
        weights_sha256: Of the weights file; for a model from outside, of its tensors and its source.
        card: The model card; None for a model from outside.
        origin: Where it came from: the weights file, or the model as the user wrote it.
        draws: Forward passes of which one classification is the mean, where it is randomized; None where it
            answers the same every time.
        mixes_batch: Whether an image's logits depend on the others of its batch.
        logits: How many it gives for an image; None until it has been asked.
    """

    name: str
    title: str
    defense: Defense
    weights_sha256: str
    card: ModelCard | None
    origin: str
    draws: int | None = None
    mixes_batch: bool = False
    logits: int | None = None


def views_of(defense: Defense) -> nn.ModuleList:
    """All views of a defense in one container, to move or switch them together."""
    return nn.ModuleList(defense.view(view) for view in defense.views)


def state_hash(defense: Defense, source: str = "") -> str:
    """The SHA-256 of everything a defense computes with: the tensors of all its views, and a source text.

    Args:
        defense: The defense, on any device.
        source: The code that built it, where it is known.

    Raises:
        UserError: A weight has no value yet.
    """
    digest, views = hashlib.sha256(source.encode()), views_of(defense)
    state = views.state_dict()
    # A buffer that is not saved is computed with all the same.
    unsaved = {key: buffer for key, buffer in views.named_buffers() if key not in state}
    for key, value in {**state, **unsaved}.items():
        digest.update(key.encode())
        for part in _parts(value):
            digest.update(part)
    return digest.hexdigest()


def _parts(value: object) -> Iterator[bytes]:
    """What an entry of a state holds, as bytes: quantized layers keep their weights in tuples."""
    if isinstance(value, torch.Tensor):
        yield from _tensor_parts(value)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _parts(part)
    elif isinstance(value, str | int | float | bool | torch.dtype):
        yield repr(value).encode()


def _tensor_parts(tensor: torch.Tensor) -> Iterator[bytes]:
    if is_lazy(tensor):
        raise UserError(
            "The defense has weights without a value: a lazy layer has not seen any images.",
            "Let the model classify one batch before it is handed over.",
        )
    if tensor.is_meta:
        raise UserError(
            "The defense has weights without a value: they are on torch's meta device.",
            "Build the model on the CPU, or give it memory by to_empty(device='cpu'), and load its weights.",
        )
    yield f"{tensor.dtype} {tuple(tensor.shape)}".encode()
    tensor = tensor.detach().cpu()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()  # a sparse one has no bytes of its own
    if tensor.is_quantized:
        # Its numbers as they are computed with: scales and zero points show in them.
        tensor = tensor.dequantize()
    # Through bytes: numpy has no bfloat16.
    yield tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
