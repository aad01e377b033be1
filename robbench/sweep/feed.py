"""Feeding samples to an attack: a window at a time, the next one loaded while this one is attacked."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.datasets import Dataset, Samples
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


def load_ahead(dataset: Dataset, parts: Sequence[Tensor]) -> Iterator[tuple[Tensor, Samples]]:
    """Load the samples of some parts, each while whoever asked is at work on the one before it.

    So a GPU does not wait for photographs to be decoded. No more than two parts are in memory at a time.

    Args:
        dataset: Where the samples are.
        parts: Positions in the dataset, (n,) int64 each.

    Yields:
        Each part, and its samples.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(dataset.samples, part) for part in parts[:1]]
        for number, part in enumerate(parts):
            samples = coming.pop().result()
            coming = [pool.submit(dataset.samples, after) for after in parts[number + 1 : number + 2]]
            yield part, samples


def open_window(samples: Samples, indices: Tensor, target: Target, key: str) -> Window:
    """Take samples to the device, and judge them unperturbed.

    Args:
        samples: The samples.
        indices: Their positions in the dataset, (n,) int64.
        target: Its exact model judges; one forward pass per sample, in parts that fit in memory.
        key: What, beside a sample's identity, its random numbers depend on.
    """
    images = samples.images.to(target.device, non_blocking=True)
    labels = samples.labels.to(target.device, non_blocking=True)
    with torch.no_grad():
        logits = target.judge.model(images)
    keys = torch.tensor([key_of(key, sample) for sample in samples.ids], device=target.device)
    correct = ~mislabels(logits, labels, target.judge.criterion)
    return Window(indices, samples.ids, images, labels, logits.argmax(1), correct, keys)
