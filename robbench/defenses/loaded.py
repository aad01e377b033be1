"""A defense in memory, ready to be attacked."""

import hashlib
from dataclasses import dataclass

import torch
from torch import nn

from robbench.defenses.contract import Defense
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
    """

    name: str
    title: str
    defense: Defense
    weights_sha256: str
    card: ModelCard | None
    origin: str


def views_of(defense: Defense) -> nn.ModuleList:
    """All views of a defense in one container, to move or switch them together."""
    return nn.ModuleList(defense.view(view) for view in defense.views)


def state_hash(defense: Defense, source: str = "") -> str:
    """The SHA-256 of everything a defense computes with: the tensors of all its views, and a source text.

    Args:
        defense: The defense, on any device.
        source: The code that built it, where it is known.
    """
    digest = hashlib.sha256(source.encode())
    for key, value in views_of(defense).state_dict().items():
        digest.update(key.encode())
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype} {tuple(value.shape)}".encode())
            # Through bytes: numpy has no bfloat16.
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
