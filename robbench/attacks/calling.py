"""What every call of an attack library needs: isolation, and inputs of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from robbench.attacks.contract import Problem
from robbench.attacks.undefined import followable
from robbench.classifier import frozen, seeded
from robbench.tensors import Images


@contextmanager
def undisturbed(problem: Problem) -> Iterator[None]:
    """Run a library so that nothing outside notices, also where it raises.

    Inside, the model is frozen in eval mode, gradients are on, and every global generator is seeded with the
    problem's seed. On leaving, training flags, ``requires_grad``, ``grad``, the generators and the root
    logger's handlers are as before: torchattacks reseeds torch and unfreezes BatchNorm, FAB and foolbox leave
    gradients in the weights, and foolbox's DeepFool configures the root logger.
    """
    root = logging.getLogger()
    handlers = root.handlers[:]
    device = problem.ball.centers.device
    try:
        with frozen(problem.model), seeded(problem.seed, device), torch.enable_grad():
            yield
    finally:
        root.handlers[:] = handlers


def fresh_images(problem: Problem) -> Images:
    """A copy of the unperturbed images as every library can take them: float32, contiguous, in [0, 1].

    foolbox asserts the box without tolerance and without a message, and torchattacks' FAB reshapes with
    ``view``, which a channels-last batch does not allow.
    """
    images = problem.ball.centers.detach().to(torch.float32).clone(memory_format=torch.contiguous_format)
    return images.clamp_(0, 1)


def single_radius(problem: Problem) -> float:
    """The one radius of a problem, as the Python float that ART insists on.

    Raises:
        ValueError: The radii differ: the caller did not respect ``per_sample_epsilon``.
    """
    epsilon = problem.ball.epsilon
    if bool((epsilon != epsilon[0]).any()):
        raise ValueError(f"one call was given radii from {epsilon.min():g} to {epsilon.max():g}")
    return float(epsilon[0])


class StandIn(nn.Module):
    """A model as the libraries see it: never a bare ``nn.Sequential``, never without a parameter.

    ART walks an ``nn.Sequential`` child by child, past its hooks. torchattacks reads the device off the first
    parameter, prints when there is none, and takes normalization from a model whose class is called RobModel.
    Square writes into the logits it is given, which are therefore copied; most attacks take float32 alone,
    whatever a model answers in. ART's HopSkipJump asks in float64. Hardly any of them expects a derivative
    that is NaN or infinite: one such pixel, and an image is NaN, which breaks nothing.

    Args:
        model: The model.
        device: Where its images are.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.empty(0, device=device), requires_grad=False)
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        given = images.float().view_as(images)
        if given.requires_grad:
            given.register_hook(_followable_if_any)
        return self.model(given).float().clone()


def _followable_if_any(gradient: Images | None) -> Images | None:
    """What a hook is given where an operation sends nothing back is None, and whoever asked sees to that."""
    return None if gradient is None else followable(gradient)


def stand_in(problem: Problem) -> StandIn:
    """The problem's model as the libraries see it, in eval mode."""
    return StandIn(problem.model, problem.ball.centers.device).train(problem.model.training)
