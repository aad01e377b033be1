"""PGD over a grid as the users of the attack libraries write it: a loop over ε around the library's class.

All samples are attacked at every ε, also those that are wrong unperturbed: the examples of all three
libraries hand over whole batches. Weights are left as they were loaded, since no example freezes them;
foolbox and ART then compute weight gradients that nobody reads. Each loop's random start is on, its step is
the share of ε that robbench takes, and the model itself has the last word on every image.
"""

import importlib.util
from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from robbench.attacks.gradient import PGD, step_share
from robbench.tensors import Images, Labels


@dataclass(frozen=True)
class LoopSetting:
    """What a user of a library has at hand.

    Attributes:
        model: The classifier, on the device, in eval mode, its weights as they were loaded.
        images: All samples, on the CPU.
        labels: Their classes.
        attack: Steps, step size and random start.
        classes: The number of classes.
        device: Where it runs.
        batch_size: Samples in one call.
    """

    model: nn.Module
    images: Images
    labels: Labels
    attack: PGD
    classes: int
    device: torch.device
    batch_size: int

    @property
    def steps(self) -> int:
        """Iterations."""
        return self.attack.steps or 1

    @property
    def share(self) -> float:
        """The step as a share of ε."""
        return step_share(self.attack.relative_step, self.attack.steps)

    def batches(self) -> list[tuple[Tensor, Tensor]]:
        """The samples in batches, on the CPU."""
        size = self.batch_size
        return list(zip(self.images.split(size), self.labels.split(size), strict=True))


class LibraryLoop(ABC):
    """The body of the loop over ε.

    Args:
        setting: The model, the data and the attack.
    """

    name: ClassVar[str]
    """What the user types; also the module that must be importable."""

    def __init__(self, setting: LoopSetting) -> None:
        self.setting = setting

    def clean_correct(self) -> int:
        """How many samples are correct unperturbed."""
        return sum(self._score(*self._move(batch)) for batch in self.setting.batches())

    @abstractmethod
    def robust_correct(self, epsilon: float) -> int:
        """How many samples are correct after an attack with radius ``epsilon``, which is above 0."""

    def _move(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return batch[0].to(self.setting.device), batch[1].to(self.setting.device)

    def _score(self, images: Tensor, labels: Tensor) -> int:
        with torch.no_grad():
            return int((self.setting.model(images).argmax(1) == labels).sum())


class TorchattacksLoop(LibraryLoop):
    """torchattacks: S forward and S backward passes per sample and ε, and one forward pass to score."""

    name = "torchattacks"

    def robust_correct(self, epsilon: float) -> int:
        import torchattacks

        setting = self.setting
        attack = torchattacks.PGD(
            setting.model,
            eps=epsilon,
            alpha=epsilon * setting.share,
            steps=setting.steps,
            random_start=setting.attack.random_start,
        )
        correct = 0
        for images, labels in map(self._move, setting.batches()):
            correct += self._score(attack(images, labels), labels)
        return correct


class FoolboxLoop(LibraryLoop):
    """foolbox: S forward and S backward passes per sample and ε, and one forward pass of its own to score."""

    name = "foolbox"

    def robust_correct(self, epsilon: float) -> int:
        import foolbox
        from foolbox.models.pytorch import PyTorchModel

        setting = self.setting
        model = PyTorchModel(setting.model, bounds=(0, 1), device=setting.device)
        attack = foolbox.attacks.LinfPGD(
            rel_stepsize=setting.share, steps=setting.steps, random_start=setting.attack.random_start
        )
        correct = 0
        for images, labels in map(self._move, setting.batches()):
            _, _, success = attack(model, images, labels, epsilons=epsilon)
            correct += len(labels) - int(success.sum())
        return correct


class ArtLoop(LibraryLoop):
    """ART: S + 2 forward and S backward passes per sample and ε, and one forward pass to score.

    The two are predictions that it always makes for a line of its log.
    """

    name = "art"

    def __init__(self, setting: LoopSetting) -> None:
        super().__init__(setting)
        from art.estimators.classification import PyTorchClassifier

        with self._current_device():
            self._classifier: Any = PyTorchClassifier(
                setting.model,
                loss=nn.CrossEntropyLoss(),
                input_shape=tuple(setting.images.shape[1:]),
                nb_classes=setting.classes,
                clip_values=(0.0, 1.0),
                device_type="gpu" if setting.device.type == "cuda" else "cpu",
            )
        self._images, self._labels = setting.images.numpy(), setting.labels.numpy()

    def robust_correct(self, epsilon: float) -> int:
        from art.attacks.evasion import ProjectedGradientDescent

        setting = self.setting
        with self._current_device():
            attack = ProjectedGradientDescent(
                self._classifier,
                eps=epsilon,
                eps_step=epsilon * setting.share,
                max_iter=setting.steps,
                num_random_init=int(setting.attack.random_start),
                batch_size=setting.batch_size,
                verbose=False,
            )
            adversarial = attack.generate(self._images, self._labels)
            predicted = self._classifier.predict(adversarial, batch_size=setting.batch_size).argmax(1)
        return int((predicted == self._labels).sum())

    def _current_device(self) -> Any:
        """ART takes the current GPU."""
        device = self.setting.device
        return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


LOOPS: dict[str, type[LibraryLoop]] = {loop.name: loop for loop in (TorchattacksLoop, FoolboxLoop, ArtLoop)}


def is_installed(library: str) -> bool:
    """Whether a library can be imported."""
    return importlib.util.find_spec(library) is not None
