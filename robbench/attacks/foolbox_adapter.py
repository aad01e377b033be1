"""Attacks run by foolbox (Rauber et al. 2020, 10.21105/joss.02607), without its defaults and side effects.

Not offered: FMN in l2, whose projection divides ``norms / norms`` and so never projects (20 to 28 times the
optimum on a linear model), and HopSkipJump, which clips to a hard-coded box (ART has one).
"""

from abc import abstractmethod
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from torch import Tensor

from robbench.attacks.calling import fresh_images, stand_in, undisturbed
from robbench.attacks.contract import Attack, BudgetAttack, MinimumNormAttack, Problem
from robbench.attacks.gradient import step_share
from robbench.attacks.losses import LOSSES
from robbench.attacks.registration import register_attack
from robbench.tensors import Images
from robbench.threat import per_image

_CANDIDATES = 10
"""Classes among which DeepFool looks for the nearest boundary, as in its paper."""


class _Foolbox(Attack):
    """What all foolbox attacks share."""

    backend = "foolbox"
    requires = "foolbox"

    def perturb(self, problem: Problem) -> Images:
        """Run the library's attack on a fresh copy of the images."""
        import foolbox
        from foolbox.models.pytorch import PyTorchModel

        with undisturbed(problem):
            images = fresh_images(problem)
            # The device is given because the default moves the model to the first GPU.
            model = PyTorchModel(stand_in(problem), bounds=(0, 1), device=images.device)
            # `run`, not a call: a call clips, judges, and takes no radius per sample.
            return self._build(foolbox, problem).run(
                model, images, foolbox.criteria.Misclassification(problem.labels), **self._radii(problem)
            )

    @abstractmethod
    def _build(self, library: ModuleType, problem: Problem) -> Any:
        """The library's attack."""

    @abstractmethod
    def _radii(self, problem: Problem) -> dict[str, Tensor]:
        """The radii as the attack's ``run`` takes them."""


class _FoolboxBudget(_Foolbox, BudgetAttack):
    """Attacks with a radius; foolbox takes one per sample where it broadcasts over the images."""

    norms = ("linf", "l2")
    per_sample_epsilon = True

    def _radii(self, problem: Problem) -> dict[str, Tensor]:
        return {"epsilon": per_image(problem.ball.epsilon)}


class _FoolboxMinimumNorm(_Foolbox, MinimumNormAttack):
    """Attacks that look for the nearest adversarial image."""

    follows_predictions = True

    def _radii(self, problem: Problem) -> dict[str, Tensor]:
        return {}


@register_attack
@dataclass(frozen=True)
class FoolboxFGSM(_FoolboxBudget):
    """One step of length ε along the gradient's sign, in l2 along the gradient, by foolbox."""

    algorithm = "fgsm"
    paper = "Goodfellow et al. 2014, arXiv:1412.6572"
    losses = ("ce", "cw")
    loss: str = "ce"

    def _build(self, library: ModuleType, problem: Problem) -> Any:
        return _descent(library, problem, self.loss)(rel_stepsize=1.0, steps=1, random_start=False)


@register_attack
@dataclass(frozen=True)
class FoolboxPGD(_FoolboxBudget):
    """Projected gradient ascent, by foolbox; the last iterate counts.

    Attributes:
        steps: Iterations.
        loss: What is ascended; ``cw`` is robbench's own loss in foolbox's loop.
        restarts: Independent runs.
        relative_step: The step as a share of ε; None: 2.5 / steps.
        random_start: Start from a uniform point of the ball instead of the clean image.
    """

    algorithm = "pgd"
    paper = "Madry et al. 2018, arXiv:1706.06083"
    losses = ("ce", "cw")
    steps: int | None = None
    loss: str = "ce"
    restarts: int = 1
    relative_step: float | None = None
    random_start: bool = True

    def _build(self, library: ModuleType, problem: Problem) -> Any:
        return _descent(library, problem, self.loss)(
            rel_stepsize=step_share(self.relative_step, self.steps),
            steps=self.steps or 1,
            random_start=self.random_start,
        )


@register_attack
@dataclass(frozen=True)
class FoolboxNoise(_FoolboxBudget):
    """Uniform noise scaled to length ε, drawn until it succeeds, by foolbox; no gradient.

    Attributes:
        steps: Draws per sample.
        restarts: Independent runs.
    """

    algorithm = "noise"
    paper = "Rauber et al. 2017, arXiv:1707.04131"
    uses_gradient = False
    follows_predictions = True
    steps: int | None = 100
    restarts: int = 1

    def _build(self, library: ModuleType, problem: Problem) -> Any:
        draws = self.steps or 100
        if problem.ball.norm.name == "l2":
            return library.attacks.L2RepeatedAdditiveUniformNoiseAttack(repeats=draws)
        from foolbox.devutils import atleast_kd, flatten

        class LinfNoise(library.attacks.LinfRepeatedAdditiveUniformNoiseAttack):
            def get_epsilons(self, x: Any, p: Any, epsilon: Any, min_: Any, max_: Any) -> Any:
                # foolbox divides by the largest entry, not the largest absolute one, and leaves the ball.
                return epsilon / atleast_kd(flatten(p).abs().max(axis=-1), p.ndim)

        return LinfNoise(repeats=draws)


@register_attack
@dataclass(frozen=True)
class FoolboxDeepFool(_FoolboxMinimumNorm):
    """DeepFool: steps to the nearest boundary of the linearized classifier, by foolbox.

    Attributes:
        steps: The most iterations.
        overshoot: How far past the boundary, as a share of the way.
    """

    algorithm = "deepfool"
    paper = "Moosavi-Dezfooli et al. 2016, arXiv:1511.04599"
    norms = ("linf", "l2")
    steps: int | None = 50
    overshoot: float = 0.02

    def _build(self, library: ModuleType, problem: Problem) -> Any:
        attacks = library.attacks
        kind = {"linf": attacks.LinfDeepFoolAttack, "l2": attacks.L2DeepFoolAttack}[problem.ball.norm.name]
        candidates = _CANDIDATES if problem.classes > _CANDIDATES else None
        return kind(steps=self.steps or 50, candidates=candidates, overshoot=self.overshoot)


@register_attack
@dataclass(frozen=True)
class FoolboxFMN(_FoolboxMinimumNorm):
    """Fast minimum-norm attack: a gradient step and a ball that shrinks on success, by foolbox.

    Its step is annealed from 1 to 0.01 as in the paper, whatever the radii.

    Attributes:
        steps: Iterations.
    """

    algorithm = "fmn"
    paper = "Pintor et al. 2021, arXiv:2102.12827"
    steps: int | None = 100

    def _build(self, library: ModuleType, problem: Problem) -> Any:
        return library.attacks.LInfFMNAttack(steps=self.steps or 100)


def _descent(library: ModuleType, problem: Problem, loss: str) -> Any:
    """The gradient descent of foolbox in the problem's norm, with robbench's loss where foolbox has none."""
    from eagerpy.astensor import astensor
    from foolbox.attacks.gradient_descent_base import clip_lp_norms

    base: Any = {
        "linf": library.attacks.LinfProjectedGradientDescentAttack,
        "l2": library.attacks.L2ProjectedGradientDescentAttack,
    }[problem.ball.norm.name]

    class Linf(base):
        def get_loss_fn(self, model: Any, labels: Any) -> Any:
            if loss == "ce":
                return super().get_loss_fn(model, labels)
            return lambda inputs: astensor(LOSSES[loss](model(inputs).raw, labels.raw).sum())

    class L2(Linf):
        def project(self, x: Any, x0: Any, epsilon: Tensor) -> Any:
            # foolbox's own broadcasts (n, 1, 1, 1) radii against (n,) lengths, which only fits a number.
            return x0 + clip_lp_norms(x - x0, norm=astensor(epsilon.flatten()), p=2)  # pyright: ignore[reportArgumentType]

    return L2 if problem.ball.norm.name == "l2" else Linf
