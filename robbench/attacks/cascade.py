"""An ensemble of attacks in turn: each gets only what the ones before left standing."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from robbench.tensors import Images, Labels

Part = Callable[[Images, Labels], Images]
"""Perturbs images that it is given with their labels."""


def attack_in_turn(parts: Iterable[Part], model: nn.Module, images: Images, labels: Labels) -> Images:
    """Let attacks perturb images one after another; the last points found for each image.

    Args:
        parts: The attacks, the cheapest first; taken one at a time.
        model: Decides after each what still stands; one forward pass per image.
        images: The unperturbed images.
        labels: Their classes.
    """
    points = images.clone()
    standing = torch.arange(len(images), device=images.device)
    for part in parts:
        points[standing] = part(images[standing], labels[standing]).detach()
        with torch.no_grad():
            holds = model(points[standing]).argmax(1) == labels[standing]
        standing = standing[holds]
        if not len(standing):
            break
    return points
