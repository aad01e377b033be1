"""The batch size of the native engine: found by trying, and remembered for as long as the model lives."""

from weakref import WeakKeyDictionary

import torch
from torch import nn

from robbench.classifier import CountedModel
from robbench.datasets import Dataset
from robbench.sweep.gradients import Gradients
from robbench.sweep.passes import PartedModel
from robbench.sweep.rate import passes_per_second, uncounted
from robbench.tensors import Images, Labels

SMALLEST = 32
PAYS_FROM = 200
"""A job makes so many passes for every image of the largest batch, or a trial would be a fair part of it."""

_found: WeakKeyDictionary[nn.Module, dict[str, int]] = WeakKeyDictionary()


def fastest_batch(gradients: Gradients, dataset: Dataset) -> int:
    """The batch size at which a CPU makes most passes per second, doubled for as long as that pays.

    On any other device, and for a short job, it is the largest that is allowed. Nobody is charged for the
    passes of a trial: whether there is one depends on what is remembered.

    Args:
        gradients: What makes the passes; its target says how many samples one holds at most.
        dataset: What will be attacked; no batch is larger.
    """
    target = gradients.target
    allowed = target.size.largest
    is_short = len(dataset) * (gradients.attack.steps or 1) < PAYS_FROM * allowed
    if target.device.type != "cpu" or is_short:
        return allowed
    found = _found.setdefault(inside(target.view), {})
    if gradients.precision not in found:
        samples = dataset.samples(torch.arange(min(allowed, len(dataset))))
        with uncounted(target):
            found[gradients.precision] = _try(gradients, samples.images, samples.labels)
    return min(allowed, found[gradients.precision])


def remembered_batch(view: nn.Module, precision: str) -> int | None:
    """What a trial has found for a view, if there was one."""
    return _found.get(view, {}).get(precision)


def inside(view: nn.Module) -> nn.Module:
    """The model itself, of a target's view or exact classifier."""
    while isinstance(view, CountedModel | PartedModel):
        view = view.model
    return view


def _try(gradients: Gradients, images: Images, labels: Labels) -> int:
    size, rate = SMALLEST, passes_per_second(gradients, images[:SMALLEST], labels[:SMALLEST])
    while 2 * size <= len(images):
        larger = passes_per_second(gradients, images[: 2 * size], labels[: 2 * size])
        if larger < rate:
            break
        size, rate = 2 * size, larger
    return size
