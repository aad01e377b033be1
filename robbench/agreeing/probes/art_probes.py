"""Probes of ART (Nicolae et al. 2018, arXiv:1807.01069): items 14 to 19 of the conformance list."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from robbench.agreeing.probes.registration import Finding, register_probe
from robbench.agreeing.probes.subjects import (
    CLASSES,
    adapter,
    distance_moved,
    predicted,
    problem,
    small_net,
    some_images,
)
from robbench.attacks.art_adapter import estimator
from robbench.attacks.calling import stand_in
from robbench.classifier import CountedModel, PassCounter
from robbench.defenses import Defense

_ISSUES = "https://github.com/Trusted-AI/adversarial-robustness-toolbox/issues"
_FILES = "https://github.com/Trusted-AI/adversarial-robustness-toolbox/blob/main/art"


class _Quantizer(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return (images * 4).round() / 4


@register_probe(
    14, "art", "success means a changed prediction, so a mislabelled image counts as none", f"{_ISSUES}/714"
)
def changed_prediction() -> Finding:
    """ART's success rate on images that the model mislabels from the start."""
    from art.utils import compute_success

    net, images = small_net(), some_images()
    wrong = (predicted(net, images) + 1) % CLASSES
    pixels, one_hot = images.numpy(), np.eye(CLASSES, dtype=np.float32)[wrong.numpy()]
    rate = 100 * compute_success(_classifier(net), pixels, one_hot, pixels)
    attack = adapter("pgd@art", steps=3, random_start=False)
    given = [problem(net, images, labels, 0.1) for labels in (wrong, predicted(net, images))]
    return Finding(
        rate == 0,
        f"{rate:.0f} % success on images that are all mislabelled",
        not torch.equal(*(attack.perturb(one) for one in given)),
        "ART is given the true labels, and robbench judges",
    )


@register_probe(
    15,
    "art",
    "the step of 0.1 and the batch of 32 stay whatever ε is",
    f"{_FILES}/attacks/evasion/projected_gradient_descent/projected_gradient_descent.py",
)
def default_step() -> Finding:
    """The step at 8/255; then one step of a tenth of ε by robbench."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch

    raw = ProjectedGradientDescentPyTorch(_classifier(small_net()), eps=8 / 255, verbose=False)
    moved = distance_moved("pgd@art", 0.3, steps=1, relative_step=0.1)
    return Finding(
        raw.eps_step > raw.eps,
        f"at ε = 8/255 = 0.031 its step is {raw.eps_step:g}, its batch {raw.batch_size}",
        abs(moved - 0.03) < 1e-6,
        "the step follows from ε, and a problem is one batch",
    )


@register_probe(
    16,
    "art",
    "PGD predicts twice more than it needs, for a message that is not shown",
    f"{_FILES}/attacks/evasion/projected_gradient_descent/projected_gradient_descent_pytorch.py",
)
def extra_predictions() -> Finding:
    """Forward passes per image of ten steps."""
    net, images, counter = small_net(), some_images(), PassCounter()
    calls: list[int] = []
    net.register_forward_hook(lambda _, given, __: calls.append(len(given[0])))
    labels = predicted(net, images)
    calls.clear()
    adapter("pgd@art", steps=10).perturb(problem(CountedModel(net, counter), images, labels, 0.1))
    each = sum(calls) / len(images)
    return Finding(
        each > 10, f"{each:g} forward passes for 10 steps", counter.forward == sum(calls), "they are counted"
    )


@register_probe(
    17,
    "art",
    "a radius of type float32 is refused with a TypeError",
    f"{_FILES}/attacks/evasion/projected_gradient_descent/projected_gradient_descent.py",
)
def radius_types() -> Finding:
    """A numpy float32 as radius."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch

    net, images, seen, present = small_net(), some_images(), "it is taken", False
    small: Any = np.float32(0.1)
    try:
        ProjectedGradientDescentPyTorch(_classifier(net), eps=small, eps_step=small, verbose=False)
    except TypeError as error:
        seen, present = type(error).__name__, True
    given = problem(net, images, predicted(net, images), 0.1)
    points = adapter("pgd@art", steps=2).perturb(given)
    return Finding(present, seen, bool(given.ball.within(points).all()), "radii become Python numbers")


@register_probe(
    18,
    "art",
    "an nn.Sequential is walked child by child, past its hooks",
    f"{_FILES}/estimators/classification/pytorch.py",
)
def hooks() -> Finding:
    """How often a hook on the container is called."""
    net, images = nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES)).eval(), some_images()
    calls: list[int] = []
    net.register_forward_hook(lambda *_: calls.append(1))
    _classifier(net).predict(images.numpy())
    theirs = len(calls)
    given = problem(net, images, torch.zeros(6, dtype=torch.int64), 0.1)
    estimator(stand_in(given), given, "ce").predict(images.numpy())
    return Finding(
        theirs == 0,
        f"{theirs} calls of the hook in a prediction",
        len(calls) > theirs,
        "ART sees a stand-in that calls the model as a whole",
    )


@register_probe(
    19, "art", "estimate_forward of a PyTorch preprocessor, its BPDA, is never called", f"{_ISSUES}/1526"
)
def backward_pass_approximation() -> Finding:
    """The gradient through a quantizer whose estimate is the identity; then BPDA by robbench."""
    from art.defences.preprocessor.preprocessor import PreprocessorPyTorch

    calls: list[int] = []

    class Preprocessor(PreprocessorPyTorch):
        def forward(self, x: Any, y: Any = None) -> Any:
            return _Quantizer()(x), y

        def estimate_forward(self, x: Any, y: Any = None) -> Any:
            calls.append(1)
            return x

    net, images = small_net(), some_images()
    labels = predicted(net, images)
    raw = _classifier(net, preprocessing_defences=Preprocessor(device_type="cpu"))
    largest = float(
        np.abs(raw.loss_gradient(images.numpy(), np.eye(CLASSES, dtype=np.float32)[labels.numpy()])).max()
    )
    defense = Defense(net, layer=_Quantizer())
    defense.model.eval()
    given = problem(defense.view("bpda"), images, labels, 0.2)
    moved = (adapter("pgd@art", steps=3, random_start=False).perturb(given) - images).abs().max()
    return Finding(
        not calls,
        f"{len(calls)} calls, and the largest gradient is {largest:g}",
        float(moved) > 0.1,
        "BPDA is a view, a module of its own that every library can differentiate",
    )


def _classifier(model: nn.Module, **options: Any) -> Any:
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        model,
        nn.CrossEntropyLoss(),
        (1, 8, 8),
        nb_classes=CLASSES,
        clip_values=(0, 1),
        device_type="cpu",
        **options,
    )
