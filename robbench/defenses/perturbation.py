"""The moves inside adversarial training: noise, input gradients and projected steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from robbench.datasets import InnerAttack
from robbench.defenses.batch import TrainingBatch
from robbench.tensors import Images, Labels, Logits
from robbench.threat import Ball, Linf

SummedLoss = Callable[[Logits], Tensor]
"""A loss of a batch's logits, summed over its samples.

A mean would shrink each sample's gradient with the batch size, which matters to steps without a sign.
"""


def linf_ball(images: Images, epsilon: float) -> Ball:
    """The linf balls of radius ε around a batch; with ε = 1, all of the box."""
    return Ball(images, images.new_full((len(images),), epsilon), Linf())


def uniform_noise(images: Images, half_width: float, generator: torch.Generator) -> Images:
    """Noise for a batch: each pixel uniform between −half_width and half_width, in pixel scale."""
    unit = torch.rand(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return half_width * (2 * unit - 1)


def summed_cross_entropy(labels: Labels) -> SummedLoss:
    """The plain cross-entropy that inner attacks ascend: never smoothed, whatever the training does."""
    return lambda logits: functional.cross_entropy(logits, labels, reduction="sum")


def input_gradient(
    model: nn.Module, points: Images, loss: SummedLoss, *, create_graph: bool = False
) -> Images:
    """The gradient of a loss in each image of a batch.

    Args:
        model: The classifier, in whatever mode the caller chose.
        points: Where the gradient is wanted.
        loss: What is differentiated.
        create_graph: Keep the graph, so that the gradient can itself be differentiated in the weights.
    """
    points = points.detach().requires_grad_(True)
    # autograd.grad visits only what leads to the images: no weight gradient is computed or kept.
    (gradient,) = torch.autograd.grad(loss(model(points)), points, create_graph=create_graph)
    return gradient


def ascend(
    model: nn.Module, points: Images, ball: Ball, loss: SummedLoss, *, step_size: float, steps: int = 1
) -> Images:
    """Steps along the sign of the loss's gradient, each projected into ball and box.

    Args:
        model: The classifier, in whatever mode the caller chose.
        points: Where the first step starts.
        ball: Where the points may go.
        loss: What is to grow.
        step_size: The length of a step in linf, in pixel scale.
        steps: Their number.

    Returns:
        The last point, without a graph.
    """
    for _ in range(steps):
        points = ball.project(points + step_size * input_gradient(model, points, loss).sign())
    return points


def pgd(model: nn.Module, batch: TrainingBatch, attack: InnerAttack) -> Images:
    """PGD on the plain cross-entropy from a uniform point of the ball (Madry et al. 2018, arXiv:1706.06083).

    Args:
        model: The classifier, in whatever mode the caller chose.
        batch: The images, their labels, and the source of the random start.
        attack: Radius, steps and their length.

    Returns:
        The last point, without a graph.
    """
    ball = linf_ball(batch.images, attack.epsilon)
    start = ball.project(batch.images + uniform_noise(batch.images, attack.epsilon, batch.generator))
    loss = summed_cross_entropy(batch.labels)
    return ascend(model, start, ball, loss, step_size=attack.step_size, steps=attack.steps)


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode; on leaving, every module is back in the mode it was in.

    For inner steps that neither see nor move a batch's normalization statistics.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
