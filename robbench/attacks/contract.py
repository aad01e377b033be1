"""What an attack is: three kinds, none of which grades itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from robbench.tensors import Images, Keys, Labels, Logits, PerSample
from robbench.threat import Ball


@dataclass(frozen=True)
class Problem:
    """What a library's attack is given: images it must perturb, and the model it may differentiate.

    Attributes:
        model: The view, frozen, in eval mode, on images in [0, 1]; counts its own passes.
        ball: The images and how far each may be moved.
        labels: The true classes; the attack is untargeted.
        classes: The number of classes that the model tells apart, which may be more than have samples.
        seed: Seeds whatever generator the attack draws from. torch's, numpy's and Python's global generators
            are already seeded with it, and are restored afterwards.
    """

    model: nn.Module
    ball: Ball
    labels: Labels
    classes: int
    seed: int


class Attack(ABC):
    """An attack as registered: a frozen dataclass whose fields are its parameters.

    Fields with a meaning by name: ``steps: int | None = None`` takes the dataset's step count where the user
    gives none (a number as default is the attack's own; without the field the attack takes no step count);
    ``loss: str`` takes one of :attr:`losses`; ``restarts: int`` runs that many times and keeps, per sample,
    any success. Every other field is an option, ``:field=value`` in the attack's name, read by its annotation
    (int, float with fractions allowed, bool, or a ``Literal`` of strings). The class docstring's first line
    is the attack's description.
    """

    algorithm: ClassVar[str]
    """Lower-case letters only: ``pgd``."""
    backend: ClassVar[str] = "native"
    """Who runs it: ``native``, ``pyautoattack``, ``torchattacks``, ``foolbox`` or ``art``."""
    paper: ClassVar[str]
    """Author, year and arXiv number."""
    norms: ClassVar[tuple[str, ...]] = ("linf",)
    losses: ClassVar[tuple[str, ...]] = ()
    """The losses it can ascend, the default first; empty where the loss is no choice."""
    uses_gradient: ClassVar[bool] = True
    """Whether it differentiates the model; only then do views other than ``exact`` make sense."""
    requires: ClassVar[str] = ""
    """The module that must be importable; empty for none."""
    is_extra: ClassVar[bool] = False
    """Whether that module comes with an extra of robbench only."""
    revision: ClassVar[int] = 1
    """Raised whenever an attack of robbench's own comes to find something else with the same parameters: what
    an earlier revision found is then another run's, and is computed anew."""
    minimum_classes: ClassVar[int] = 2
    loss_minimum_classes: ClassVar[Mapping[str, int]] = {}
    """The classes that a loss needs, where that is more: the logits ratio of DLR is undefined on two."""
    follows_predictions: ClassVar[bool] = False
    """Whether the library steers by the model's own first class: it leaves a sample that it sees broken.

    Under a view that predicts otherwise than the exact model (``substitute``) it would leave too early, so
    the two are not combined.
    """


class IterativeAttack(Attack):
    """A native attack, run by the sweep engine: a start, then one move per forward and backward pass.

    Every iterate is a candidate, the start included. All arguments are batched; samples of a batch may have
    different radii and be at different steps, so no method may mix samples.
    """

    steps: int | None
    restarts: int
    memoryless: ClassVar[bool] = True
    """Whether a move depends on the image, its gradient and the ball alone: then an image that comes again
    ends the run, with nothing lost unless the defense is randomized, where it does not."""

    can_be_brief: ClassVar[bool] = False
    """Whether a search may first try a few long steps, from the clean image or an adversarial one of a larger
    ball: sound where the start and the length of a step are anybody's choice, as PGD's are."""

    @abstractmethod
    def start(self, ball: Ball, keys: Keys) -> Images:
        """The first iterate of each sample.

        Args:
            ball: Where the iterates must stay.
            keys: Random keys, each a function of seed, sample, attack, restart and ε.
        """

    @abstractmethod
    def objective(self, logits: Logits, labels: Labels) -> PerSample:
        """What the attack ascends, for each sample by itself."""

    @abstractmethod
    def move(
        self, iterate: Images, gradient: Images, ball: Ball, keys: Keys, stride: PerSample | float = 1.0
    ) -> Images:
        """The next iterate, inside the ball.

        Args:
            iterate: The current iterate.
            gradient: The objective's gradient there; zero where :attr:`uses_gradient` is false.
            ball: Where the iterates must stay.
            keys: Random keys, as for :meth:`start` and moreover a function of the step.
            stride: How many times as long as usual the step is; 1 unless :attr:`can_be_brief`.
        """


class BudgetAttack(Attack):
    """An attack by a library that is given a radius and returns images."""

    per_sample_epsilon: ClassVar[bool] = False
    """Whether one call may hold different radii; otherwise every call's radii are equal."""

    @abstractmethod
    def perturb(self, problem: Problem) -> Images:
        """Perturbed images, in the order of the problem's; robbench projects and judges them."""


class MinimumNormAttack(Attack):
    """An attack by a library that looks for the nearest adversarial image; one run fills the whole curve."""

    @abstractmethod
    def perturb(self, problem: Problem) -> Images:
        """The nearest adversarial images found; the problem's radii are the largest of the sweep."""
