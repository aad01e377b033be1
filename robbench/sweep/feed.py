"""Feeding samples to an attack: loaded a window at a time, with the verdict on the clean images."""

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.datasets import Dataset
from robbench.randomness import key_of
from robbench.sweep.judge import mislabels
from robbench.sweep.target import Target
from robbench.tensors import Flags, Images, Keys, Labels


@dataclass(frozen=True)
class Window:
    """Some samples on the device, with the verdict on the unperturbed images.

    Attributes:
        index: The position of each sample in the dataset.
        ids: The identity of each sample.
        images: The unperturbed images.
        labels: The true classes.
        prediction: The class the exact model gives.
        correct: Whether the unperturbed image meets the criterion; only then is it attacked.
        keys: One random key per sample: a function of the seed, the sample and the attack.
    """

    index: Int64[Tensor, " n"]
    ids: tuple[str, ...]
    images: Images
    labels: Labels
    prediction: Labels
    correct: Flags
    keys: Keys


def load_window(dataset: Dataset, indices: Tensor, target: Target, key: str) -> Window:
    """Load the samples at ``indices``, and judge them unperturbed.

    Args:
        dataset: Where the samples are.
        indices: Positions in the dataset, (n,) int64.
        target: Its exact model judges; one forward pass per sample, in parts that fit in memory.
        key: What, beside a sample's identity, its random numbers depend on.
    """
    samples = dataset.samples(indices)
    images = samples.images.to(target.device, non_blocking=True)
    labels = samples.labels.to(target.device, non_blocking=True)
    with torch.no_grad():
        logits = target.judge.model(images)
    keys = torch.tensor([key_of(key, sample) for sample in samples.ids], device=target.device)
    correct = ~mislabels(logits, labels, target.judge.criterion)
    return Window(indices, samples.ids, images, labels, logits.argmax(1), correct, keys)
