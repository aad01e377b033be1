"""Adversarial training written out for one tanh layer: numpy, one sample at a time, no autograd."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from robbench.datasets import datasets
from robbench.defenses import DefenseRecipe, TrainingBatch
from robbench.defenses.options import build_recipe


class TanhNet(nn.Module):
    """Logits ``W2·tanh(W1·x + b)`` in double precision: smooth, with second derivatives everywhere."""

    def __init__(self, pixels: int = 12, hidden: int = 7, classes: int = 4, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=generator, dtype=torch.float64))

        self.inner, self.bias, self.outer = draw(hidden, pixels), draw(hidden), draw(classes, hidden)

    def forward(self, images: Tensor) -> Tensor:
        return torch.tanh(images.flatten(1) @ self.inner.T + self.bias) @ self.outer.T


class Recorder(nn.Module):
    """A network that keeps what it was given, and in which mode."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen: list[Tensor] = []
        self.modes: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach().clone())
        self.modes.append(all(module.training for module in self.modules()))
        return self.network(images)


def make_recipe(name: str, **options: float) -> DefenseRecipe:
    """A recipe by its registered name, as a user makes it."""
    return build_recipe(name, datasets.get("digits"), options)


def make_batch(
    count: int = 6, shape: tuple[int, ...] = (1, 3, 4), dtype: torch.dtype = torch.float64, seed: int = 5
) -> TrainingBatch:
    """Random images, a quarter of whose pixels lie on the box, with labels of four classes."""
    generator = torch.Generator().manual_seed(seed)
    images = (torch.rand(count, *shape, generator=generator, dtype=dtype) * 1.5 - 0.25).clamp(0, 1)
    labels = torch.randint(4, (count,), generator=generator)
    return TrainingBatch(images, labels, noise_generator())


def noise_generator() -> torch.Generator:
    """The generator of every batch made here, at its start."""
    return torch.Generator().manual_seed(11)


def drawn(batch: TrainingBatch) -> Tensor:
    """The first uniform numbers of [−1, 1] that a batch's generator gives, one per pixel."""
    return 2 * torch.rand(batch.images.shape, generator=noise_generator(), dtype=batch.images.dtype) - 1


class LiteralSample(NamedTuple):
    """One sample of a batch, flat."""

    image: np.ndarray
    noise: np.ndarray
    """What the batch's generator gives for it first, uniform in [−1, 1]."""
    label: int


def literal_samples(batch: TrainingBatch) -> list[LiteralSample]:
    """A batch, sample by sample."""
    parts = zip(flat(batch.images), flat(drawn(batch)), batch.labels.tolist(), strict=True)
    return [LiteralSample(*part) for part in parts]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


class LiteralNet:
    """A :class:`TanhNet` by the rules of differentiation, for one flat image at a time."""

    def __init__(self, net: TanhNet) -> None:
        self.inner, self.bias, self.outer = (
            weight.detach().numpy() for weight in (net.inner, net.bias, net.outer)
        )

    def logits(self, image: np.ndarray) -> np.ndarray:
        return self.outer @ np.tanh(self.inner @ image + self.bias)

    def pulled_back(self, image: np.ndarray, by_logit: np.ndarray) -> np.ndarray:
        """The gradient in the image of a loss whose gradient in the logits is given."""
        hidden = np.tanh(self.inner @ image + self.bias)
        return self.inner.T @ ((1 - hidden**2) * (self.outer.T @ by_logit))

    def cross_entropy(self, image: np.ndarray, label: int) -> float:
        return float(-np.log(softmax(self.logits(image))[label]))

    def cross_entropy_gradient(self, image: np.ndarray, label: int) -> np.ndarray:
        by_logit = softmax(self.logits(image))
        by_logit[label] -= 1
        return self.pulled_back(image, by_logit)

    def divergence(self, reference: np.ndarray, image: np.ndarray) -> float:
        """KL(softmax of the reference logits ‖ softmax of the image's)."""
        p, q = softmax(reference), softmax(self.logits(image))
        return float(sum(p[k] * (np.log(p[k]) - np.log(q[k])) for k in range(len(p))))

    def divergence_gradient(self, reference: np.ndarray, image: np.ndarray) -> np.ndarray:
        return self.pulled_back(image, softmax(self.logits(image)) - softmax(reference))


def clipped(point: np.ndarray, center: np.ndarray, epsilon: float) -> np.ndarray:
    """Every pixel by itself, first to the ball and then to the box."""
    pairs = zip(point, center, strict=True)
    return np.array([min(max(min(max(p, c - epsilon), c + epsilon), 0.0), 1.0) for p, c in pairs])


def flat(images: Tensor) -> list[np.ndarray]:
    """The images as flat arrays."""
    return list(images.detach().flatten(1).numpy())
