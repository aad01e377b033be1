"""Attacks run by ART (Nicolae et al. 2018, arXiv:1807.01069), without its defaults and side effects."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.attacks.calling import fresh_images, single_radius, stand_in, undisturbed
from robbench.attacks.contract import Attack, BudgetAttack, Problem
from robbench.attacks.gradient import step_share
from robbench.attacks.losses import LOSSES
from robbench.attacks.registration import register_attack
from robbench.errors import UserError
from robbench.tensors import Images

ORDERS = {"linf": np.inf, "l2": 2}
"""The norms as ART names them."""


class _SummedLoss(nn.Module):
    """A robbench loss in the form ART wants: of one-hot labels, with a ``reduction`` that ART sets.

    Summed, not ART's mean: a mean shrinks every gradient by the batch size, and results depend on the batch.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.reduction = "sum"

    def forward(self, logits: Tensor, one_hot: Tensor) -> Tensor:
        losses = LOSSES[self.name](logits, one_hot.argmax(1))
        return losses if self.reduction == "none" else losses.sum()


class ArtAttack(Attack):
    """What all ART attacks share."""

    backend = "art"
    requires = "art"

    def perturb(self, problem: Problem) -> Images:
        """Run the library's attack on a fresh copy of the images, the true labels given."""
        with undisturbed(problem), _on_device(problem):
            points = self.generate(problem, fresh_images(problem).cpu().numpy(), _one_hot(problem))
        return torch.as_tensor(points, dtype=torch.float32, device=problem.ball.centers.device)

    @abstractmethod
    def generate(self, problem: Problem, images: Any, labels: Any) -> Any:
        """Perturbed images as an array; ``labels`` are one-hot."""


@register_attack
@dataclass(frozen=True)
class ArtPGD(ArtAttack, BudgetAttack):
    """Projected gradient ascent, by ART; the last iterate counts.

    In l2 it clips to the box before it projects onto the ball, the others after: they differ where both bind.

    Attributes:
        steps: Iterations.
        loss: What is ascended; ``cw`` is robbench's own loss in ART's loop.
        restarts: Independent runs.
        relative_step: The step as a share of ε; None: 2.5 / steps.
        random_start: Start from a uniform point of the ball; ART draws it for one radius only.
    """

    algorithm = "pgd"
    paper = "Madry et al. 2018, arXiv:1706.06083"
    norms = ("linf", "l2")
    losses = ("ce", "cw")
    steps: int | None = None
    loss: str = "ce"
    restarts: int = 1
    relative_step: float | None = None
    random_start: bool = True

    def generate(self, problem: Problem, images: Any, labels: Any) -> Any:
        from art.attacks.evasion import ProjectedGradientDescentPyTorch

        epsilon = single_radius(problem)
        attack = ProjectedGradientDescentPyTorch(
            estimator(stand_in(problem), problem, self.loss),
            norm=ORDERS[problem.ball.norm.name],
            eps=epsilon,
            eps_step=epsilon * step_share(self.relative_step, self.steps),
            max_iter=self.steps or 1,
            num_random_init=int(self.random_start),
            batch_size=len(images),
            verbose=False,
        )
        return attack.generate(images, labels)


@register_attack
@dataclass(frozen=True)
class ArtAPGD(ArtAttack, BudgetAttack):
    """Auto-PGD: the step is halved where the loss stops rising, by ART; only the last iterate is tested.

    Attributes:
        steps: Iterations.
        restarts: Independent runs.
    """

    algorithm = "apgd"
    paper = "Croce & Hein 2020, arXiv:2003.01690"
    norms = ("linf", "l2")
    losses = ("ce",)
    follows_predictions = True
    steps: int | None = 100
    loss: str = "ce"
    restarts: int = 1

    def generate(self, problem: Problem, images: Any, labels: Any) -> Any:
        from art.attacks.evasion import AutoProjectedGradientDescent

        epsilon = single_radius(problem)
        try:
            attack = AutoProjectedGradientDescent(
                estimator(stand_in(problem), problem, self.loss),
                norm=ORDERS[problem.ball.norm.name],
                eps=epsilon,
                eps_step=2 * epsilon,  # the paper's first step
                max_iter=self.steps or 100,
                nb_random_init=1,
                batch_size=len(images),
                verbose=False,
            )
        except ValueError as error:  # ART looks at what the model answers
            raise UserError(
                f"apgd@art does not take this defense: {error}",
                "Return logits, with no softmax at the end, or use apgd@torchattacks.",
            ) from error
        return attack.generate(images, labels)


@register_attack
@dataclass(frozen=True)
class ArtSquare(ArtAttack, BudgetAttack):
    """Square: random search with square patches, no gradient, by ART.

    Attributes:
        queries: Images tried per sample; ART needs three forward passes for each.
        restarts: Independent runs.
    """

    algorithm = "square"
    paper = "Andriushchenko et al. 2020, arXiv:1912.00049"
    uses_gradient = False
    follows_predictions = True
    queries: int = 5000
    restarts: int = 1

    def generate(self, problem: Problem, images: Any, labels: Any) -> Any:
        from art.attacks.evasion import SquareAttack

        attack = SquareAttack(
            estimator(stand_in(problem), problem, "ce"),
            norm=np.inf,
            max_iter=self.queries,
            eps=single_radius(problem),
            p_init=_first_patch(*images.shape[2:]),
            batch_size=len(images),
            verbose=False,
        )
        return attack.generate(images, labels)


@contextmanager
def _on_device(problem: Problem) -> Iterator[None]:
    """Make the problem's GPU the current one, which is the one that ART takes."""
    with ExitStack() as stack:
        if problem.ball.centers.is_cuda:
            stack.enter_context(torch.cuda.device(problem.ball.centers.device))
        yield


def _one_hot(problem: Problem) -> Any:
    return functional.one_hot(problem.labels, problem.classes).float().cpu().numpy()


def estimator(model: nn.Module, problem: Problem, loss: str) -> Any:
    """The model as ART wants it, on the device of the problem's images."""
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        model,
        loss=_SummedLoss(loss),  # pyright: ignore[reportArgumentType]
        input_shape=tuple(problem.ball.centers.shape[1:]),
        nb_classes=problem.classes,
        clip_values=(0.0, 1.0),
        device_type="gpu" if problem.ball.centers.is_cuda else "cpu",
    )


def _first_patch(height: int, width: int) -> float:
    """The share of the image that Square's first patch covers: 0.8, or less where it could not move then."""
    side = min(height, width)
    if side < 2:
        raise UserError(
            f"square@art needs images of at least 2 x 2 pixels, not {height} x {width}.",
            "Use square@torchattacks.",
        )
    return min(0.8, (side - 0.51) ** 2 / (height * width))
