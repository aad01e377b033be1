"""Examining a made-up defense on a made-up, learnable set of images."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from robbench.checking.contract import Finding, Subject
from robbench.checking.running import examine
from robbench.classifier import frozen
from robbench.datasets import Samples
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense, state_hash, views_of

CLASSES = 4
CPU = torch.device("cpu")


def make_samples(count: int = 80) -> Samples:
    """Noise, with a bright quarter that tells the class; away from 0 and 1."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 1, 8, 8, generator=generator) * 0.4 + 0.1
    labels = torch.arange(count) % CLASSES
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        image[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 0.3
    return Samples(images, labels, tuple(f"{index:016x}" for index in range(count)))


class Quarters(nn.Module):
    """The mean of each quarter as a logit: right on every sample.

    Args:
        scale: What the logits are multiplied with.
    """

    def __init__(self, scale: float = 10.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * nn.functional.avg_pool2d(images, 4).flatten(1)


class Wrapped(nn.Module):
    """Does something before and after a network."""

    def __init__(
        self,
        before: Callable[[torch.Tensor], torch.Tensor] = lambda images: images,
        after: Callable[[torch.Tensor], torch.Tensor] = lambda logits: logits,
        network: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network = network or Quarters()
        self.before, self.after = before, after

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.after(self.network(self.before(images)))


def findings(
    build: Callable[[], nn.Module | Defense], samples: Samples | None = None, classes: int = CLASSES
) -> Mapping[str, Finding]:
    """Every finding about a defense that ``build`` makes, in eval mode."""

    def load() -> LoadedDefense:
        made = build()
        defense = made if isinstance(made, Defense) else Defense(made)
        views_of(defense).eval()
        return LoadedDefense("mine.build", "mine", defense, state_hash(defense), None, "test")

    loaded = load()
    subject = Subject(loaded, samples or make_samples(), classes, CPU, load)
    with frozen(*views_of(loaded.defense)):
        return examine(subject)
