"""Attacks run by torchattacks (Kim 2020, arXiv:2010.01950), without its defaults and side effects.

Not offered, because the library's version is wrong or cannot be trusted: CW (cannot move a pixel that is
exactly 0 or 1), PGD in l2 (reshapes with ``view``), Square in l2 (fails on 12 x 12 images), and its own
``AutoAttack`` class (10 steps for 100; see the module beside this).
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import torch

from robbench.attacks.calling import StandIn, fresh_images, single_radius, stand_in, undisturbed
from robbench.attacks.contract import BudgetAttack, MinimumNormAttack, Problem
from robbench.attacks.gradient import step_share
from robbench.attacks.registration import register_attack
from robbench.tensors import Images
from robbench.threat import per_image

_NORMS = {"linf": "Linf", "l2": "L2"}


class _TorchattacksBudget(BudgetAttack):
    """What the attacks share that one call of one library object makes up."""

    backend = "torchattacks"
    requires = "torchattacks"

    def perturb(self, problem: Problem) -> Images:
        import torchattacks

        with undisturbed(problem):
            attack = self._build(torchattacks, stand_in(problem), problem)
            return attack(fresh_images(problem), problem.labels)

    @abstractmethod
    def _build(self, library: ModuleType, model: StandIn, problem: Problem) -> Any:
        """The library's attack, built anew for every call: a changed ``eps`` does not reach its parts."""


@register_attack
@dataclass(frozen=True)
class TorchattacksFGSM(_TorchattacksBudget):
    """One step of length ε along the gradient's sign, by torchattacks."""

    algorithm = "fgsm"
    paper = "Goodfellow et al. 2014, arXiv:1412.6572"
    losses = ("ce",)
    per_sample_epsilon = True
    loss: str = "ce"

    def _build(self, library: ModuleType, model: StandIn, problem: Problem) -> Any:
        return library.FGSM(model, eps=per_image(problem.ball.epsilon))


@register_attack
@dataclass(frozen=True)
class TorchattacksPGD(_TorchattacksBudget):
    """Projected gradient ascent, by torchattacks; the last iterate counts.

    Attributes:
        steps: Iterations.
        loss: What is ascended.
        restarts: Independent runs.
        relative_step: The step as a share of ε; None: 2.5 / steps.
        random_start: Start from a uniform point of the ball; its generator takes one radius for all samples.
    """

    algorithm = "pgd"
    paper = "Madry et al. 2018, arXiv:1706.06083"
    losses = ("ce",)
    steps: int | None = None
    loss: str = "ce"
    restarts: int = 1
    relative_step: float | None = None
    random_start: bool = True

    def _build(self, library: ModuleType, model: StandIn, problem: Problem) -> Any:
        epsilon = single_radius(problem)
        return library.PGD(
            model,
            eps=epsilon,
            alpha=epsilon * step_share(self.relative_step, self.steps),
            steps=self.steps or 1,
            random_start=self.random_start,
        )


@register_attack
@dataclass(frozen=True)
class TorchattacksSquare(_TorchattacksBudget):
    """Square: random search with square patches, no gradient, by torchattacks.

    The paper's schedule, by which patches shrink, is stretched over the queries.

    Attributes:
        queries: Images tried per sample; a sample leaves at its first success.
        restarts: Independent runs.
    """

    algorithm = "square"
    paper = "Andriushchenko et al. 2020, arXiv:1912.00049"
    uses_gradient = False
    follows_predictions = True
    queries: int = 5000
    restarts: int = 1

    def _build(self, library: ModuleType, model: StandIn, problem: Problem) -> Any:
        epsilon = single_radius(problem)
        return library.Square(model, norm="Linf", eps=epsilon, n_queries=self.queries, seed=problem.seed)


@register_attack
@dataclass(frozen=True)
class TorchattacksAPGD(BudgetAttack):
    """Auto-PGD: the step is halved where the loss stops rising, by torchattacks.

    Attributes:
        steps: Iterations.
        loss: Cross-entropy or the difference of logits ratio.
        restarts: Independent runs.
    """

    algorithm = "apgd"
    backend = "torchattacks"
    requires = "torchattacks"
    paper = "Croce & Hein 2020, arXiv:2003.01690"
    norms = ("linf", "l2")
    losses = ("ce", "dlr")
    loss_minimum_classes: ClassVar[Mapping[str, int]] = {"dlr": 3}
    follows_predictions = True
    per_sample_epsilon = True
    steps: int | None = 100
    loss: str = "ce"
    restarts: int = 1

    def perturb(self, problem: Problem) -> Images:
        import torchattacks

        with undisturbed(problem):
            attack = torchattacks.APGD(
                stand_in(problem),
                norm=_NORMS[problem.ball.norm.name],
                eps=per_image(problem.ball.epsilon),  # pyright: ignore[reportArgumentType]
                steps=self.steps or 100,
                loss=self.loss,
            )
            # One run, not `attack(...)`: that drops samples it finds wrong, and then the radii no longer fit.
            best, correct, _, adversarial = attack.attack_single_run(fresh_images(problem), problem.labels)
            return torch.where(correct.view(-1, 1, 1, 1), best, adversarial).detach()


@register_attack
@dataclass(frozen=True)
class TorchattacksFAB(MinimumNormAttack):
    """FAB: the nearest point of the linearized decision boundary, again and again, by torchattacks.

    Attributes:
        steps: Iterations, each of which sends one gradient back per class.
    """

    algorithm = "fab"
    backend = "torchattacks"
    requires = "torchattacks"
    paper = "Croce & Hein 2020, arXiv:1907.02044"
    norms = ("linf", "l2")
    follows_predictions = True
    steps: int | None = 100

    def perturb(self, problem: Problem) -> Images:
        import torchattacks

        with undisturbed(problem):
            attack = torchattacks.FAB(
                stand_in(problem),
                norm=_NORMS[problem.ball.norm.name],
                eps=float(problem.ball.epsilon.max()),
                steps=self.steps or 100,
                seed=problem.seed,
                n_classes=problem.classes,
            )
            return attack(fresh_images(problem), problem.labels)
