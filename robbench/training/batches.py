"""Training batches as a function of seed and step, so that a resumed training goes on with the same."""

from typing import NamedTuple

import torch
from torch import Tensor

from robbench.datasets import ArrayDataset, Dataset, TrainingPlan
from robbench.randomness import key_of
from robbench.tensors import Images, Labels
from robbench.training.augmentation import crop_and_flip


def steps_per_epoch(images: int, plan: TrainingPlan) -> int:
    """Batches that an epoch is made of.

    Args:
        images: In the training split, those held out included.
        plan: Gives batch size and the number held out.
    """
    left = images - plan.held_out
    return left // min(plan.batch_size, left)


def held_out_indices(images: int, count: int) -> Tensor:
    """The images that are held out: the same for every defense, network and seed.

    Args:
        images: In the training split.
        count: How many are held out.
    """
    return _split_order(images)[:count]


def _split_order(images: int) -> Tensor:
    return torch.randperm(images, generator=torch.Generator().manual_seed(key_of("held out")))


class Batch(NamedTuple):
    """One batch, on the training's device."""

    images: Images
    labels: Labels


class Batches:
    """The batches of a training. Every epoch is a fresh permutation; its incomplete last batch is left out.

    Images that the plan holds out are in no batch. A dataset in memory is moved to the device once, as it is
    stored; others are read batch by batch.

    Args:
        dataset: The training split.
        plan: Gives batch size, augmentation and the number of images held out.
        seed: The training's seed.
        device: Where the batches are wanted.
    """

    def __init__(self, dataset: Dataset, plan: TrainingPlan, seed: int, device: torch.device) -> None:
        self._dataset = dataset
        self._kept = (
            _split_order(len(dataset))[plan.held_out :] if plan.held_out else torch.arange(len(dataset))
        )
        self._size = min(plan.batch_size, len(self._kept))
        self._per_epoch = steps_per_epoch(len(dataset), plan)
        self._augment = plan.augment
        self._seed = seed
        self._device = device
        self._labels = dataset.labels.to(device)
        self._pixels = dataset.pixels.to(device) if isinstance(dataset, ArrayDataset) else None
        self._scale = dataset.scale if isinstance(dataset, ArrayDataset) else 1
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def at(self, step: int, generator: torch.Generator) -> Batch:
        """The batch of a step, counted from 0.

        Args:
            step: The step.
            generator: The source of the augmentation, on the device.
        """
        indices = self._indices(step)
        pixels = self._read(indices)
        if self._augment:
            pixels = crop_and_flip(pixels, generator)
        images = pixels.float() / self._scale
        labels = self._labels[indices.to(self._device)]
        return Batch(images.contiguous(memory_format=torch.channels_last), labels)

    def _indices(self, step: int) -> Tensor:
        epoch, position = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(key_of("epoch", self._seed, epoch))
            order = self._kept[torch.randperm(len(self._kept), generator=generator)]
            # Images in memory are gathered on the device, where their indices must then be.
            self._order = order if self._pixels is None else order.to(self._device)
            self._epoch = epoch
        return self._order[position * self._size : (position + 1) * self._size]

    def _read(self, indices: Tensor) -> Tensor:
        if self._pixels is None:
            return self._dataset.samples(indices).images.to(self._device)
        return self._pixels[indices]
