"""Training batches as a function of seed and step, so that a resumed training goes on with the same."""

from typing import NamedTuple

import torch
from torch import Tensor

from robbench.datasets import ArrayDataset, Dataset, TrainingPlan
from robbench.randomness import key_of
from robbench.tensors import Images, Labels
from robbench.training.augmentation import crop_and_flip


class Batch(NamedTuple):
    """One batch, on the training's device."""

    images: Images
    labels: Labels


class Batches:
    """The batches of a training. Every epoch is a fresh permutation; its incomplete last batch is left out.

    A dataset in memory is moved to the device once, as it is stored; others are read batch by batch.

    Args:
        dataset: The training split.
        plan: Gives batch size and augmentation.
        seed: The training's seed.
        device: Where the batches are wanted.
    """

    def __init__(self, dataset: Dataset, plan: TrainingPlan, seed: int, device: torch.device) -> None:
        self._dataset = dataset
        self._size = min(plan.batch_size, len(dataset))
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
        per_epoch = len(self._dataset) // self._size
        epoch, position = divmod(step, per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(key_of("epoch", self._seed, epoch))
            order = torch.randperm(len(self._dataset), generator=generator)
            # Images in memory are gathered on the device, where their indices must then be.
            self._order = order if self._pixels is None else order.to(self._device)
            self._epoch = epoch
        return self._order[position * self._size : (position + 1) * self._size]

    def _read(self, indices: Tensor) -> Tensor:
        if self._pixels is None:
            return self._dataset.samples(indices).images.to(self._device)
        return self._pixels[indices]
