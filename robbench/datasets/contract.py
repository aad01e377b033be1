"""What a dataset is: samples with identities, and the protocol of its benchmark."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from robbench.epsilon import EpsilonUnit
from robbench.tensors import Images, Labels

Split = Literal["train", "test"]


class Samples(NamedTuple):
    """A batch of samples."""

    images: Images
    labels: Labels
    ids: tuple[str, ...]
    """Each sample's identity: 16 hex digits of the SHA-256 of its stored pixels."""


class Dataset(ABC):
    """An indexed collection of labelled images in [0, 1].

    Attributes:
        name: The registered name, or ``"custom"`` for a user's own arrays.
        source: Where the samples came from, in words.
        shape: Channels, height and width of every image.
        classes: The number of classes.
        labels: The true class of every sample.
        numbered_folders: The class folders whose order numbers the classes; empty where what numbers them is
            known, and no question of which folders there are.
    """

    name: str
    source: str
    shape: tuple[int, int, int]
    classes: int
    labels: Labels
    numbered_folders: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def samples(self, indices: Tensor) -> Samples:
        """The samples at ``indices`` (int64, on the CPU), in that order, on the CPU."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """16 hex digits that change when any sample, label or their order changes."""

    @abstractmethod
    def first(self, count: int) -> "Dataset":
        """The dataset of the first ``count`` samples."""


class ArrayDataset(Dataset):
    """A dataset that lies in memory.

    Args:
        name: The registered name, or ``"custom"``.
        pixels: (n, channels, height, width), uint8 or float32.
        labels: (n,), whole numbers from 0.
        classes: The number of classes.
        source: Where the samples came from, in words.
        scale: What a pixel is divided by to lie in [0, 1]; 1 for floats.
    """

    def __init__(
        self,
        name: str,
        pixels: npt.NDArray[np.uint8] | npt.NDArray[np.float32],
        labels: npt.NDArray[np.integer],
        classes: int,
        source: str,
        scale: int = 255,
    ) -> None:
        self.name = name
        self.source = source
        self.classes = classes
        self.shape = (int(pixels.shape[1]), int(pixels.shape[2]), int(pixels.shape[3]))
        self.labels = torch.as_tensor(labels, dtype=torch.int64)
        self.scale = scale
        self.pixels = torch.from_numpy(np.array(pixels))  # a copy: the source may be read-only

    def samples(self, indices: Tensor) -> Samples:
        images = self.pixels[indices].float() / self.scale
        return Samples(images, self.labels[indices], tuple(self.ids[int(i)] for i in indices))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The identity of every sample."""
        return tuple(pixel_hash(image.numpy()) for image in self.pixels)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256("".join(self.ids).encode())
        digest.update(self.labels.numpy().tobytes())
        return digest.hexdigest()[:16]

    def first(self, count: int) -> "ArrayDataset":
        return ArrayDataset(
            self.name,
            self.pixels[:count].numpy(),
            self.labels[:count].numpy(),
            self.classes,
            self.source,
            self.scale,
        )


def pixel_hash(pixels: npt.NDArray[np.generic]) -> str:
    """The identity of a sample: 16 hex digits of the SHA-256 of its pixels as stored."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Quantization:
    """The parameters of the soft-quantization layer (Eq. 3 of the soft-quantization paper).

    Attributes:
        levels: K, the number of steps of the staircase.
        alpha: α, the slope of each sigmoid, for images in [0, 1].
    """

    levels: int
    alpha: float


@dataclass(frozen=True)
class InnerAttack:
    """The PGD attack inside adversarial training (Madry et al. 2018).

    Attributes:
        epsilon: Radius in linf, in pixel scale.
        steps: Iterations.
        step_size: Length of one step, in pixel scale.
    """

    epsilon: float
    steps: int
    step_size: float


@dataclass(frozen=True)
class TrainingPlan:
    """How long and with what a network is trained.

    Attributes:
        iterations: Optimizer steps.
        batch_size: Samples in each.
        optimizer: ``adam``, or ``sgd`` with momentum 0.9.
        learning_rate: The peak of the schedule.
        weight_decay: L2 penalty on the weights.
        schedule: ``constant``, ``cosine``, or ``cyclic`` (linear up, then linear down).
        augment: Random crops (padding 4) with horizontal flips, on the device.
        label_smoothing: Share of each target that is spread over all classes; from 0 to below 1.
        averaging: Decay per step of the moving average of the weights that is stored in place of the last
            weights; from 0, which is no average, to below 1.
        held_out: Training images that are not trained on: they watch for catastrophic overfitting.
        stop_on_collapse: Whether that ends the training.
    """

    iterations: int
    batch_size: int
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine", "cyclic"] = "cosine"
    augment: bool = False
    label_smoothing: float = 0.0
    averaging: float = 0.0
    held_out: int = 0
    stop_on_collapse: bool = False


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset's place in the benchmark: how it is loaded, attacked and defended.

    Attributes:
        name: What the user types.
        title: What a figure prints.
        shape: Channels, height and width of an image.
        classes: The names of the classes, in the order of their labels.
        epsilon: The one standard radius (linf, pixel scale).
        grid: The canonical ε grid, 0 included.
        unit: How ε is printed.
        attack_steps: PGD steps of the paper's evaluation.
        network: The registered network that defenses wrap.
        quantization: K and α of SQ and NSQ.
        noise: Half-width of NSQ's uniform training noise, in pixel scale.
        inner_attack: The attack inside PGD-AT.
        training: The plan of natural, SQ and NSQ training; PGD-AT's too, unless it says otherwise.
        load: Reads a split, from a data directory if given, else as the dataset is usually had.
    """

    name: str
    title: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    epsilon: float
    grid: tuple[float, ...]
    unit: EpsilonUnit
    attack_steps: int
    network: str
    quantization: Quantization
    noise: float
    inner_attack: InnerAttack
    training: TrainingPlan
    load: Callable[[Path | None, Split], Dataset]
