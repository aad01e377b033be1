"""Probes of foolbox (Rauber et al. 2020, 10.21105/joss.02607): items 11 to 13 of the conformance list."""

import warnings

import torch

from robbench.agreeing.probes.registration import Finding, register_probe
from robbench.agreeing.probes.subjects import (
    Brightness,
    SmallNet,
    adapter,
    distance_moved,
    gray_image,
    predicted,
    problem,
    small_net,
    some_images,
)
from robbench.attacks import attacks

_FILES = "https://github.com/bethgelab/foolbox/blob/master/foolbox"


@register_probe(
    11,
    "foolbox",
    "the default step is ε / 30: few steps cannot cross the ball",
    "https://github.com/bethgelab/foolbox/issues/704",
)
def relative_step() -> Finding:
    """How far ten steps go towards a boundary that lies straight ahead."""
    import foolbox
    from foolbox.models.pytorch import PyTorchModel

    gray, labels = gray_image()
    raw = foolbox.attacks.LinfPGD(steps=10, random_start=False)
    points = raw.run(PyTorchModel(Brightness().eval(), (0, 1)), gray, labels, epsilon=0.3)
    theirs = float((torch.as_tensor(points) - gray).abs().max())
    moved = distance_moved("pgd@foolbox", 0.3, steps=10)
    return Finding(
        theirs < 0.29,
        f"at ε = 0.3 ten steps move {theirs:.3f}",
        abs(moved - 0.3) < 1e-6,
        f"robbench's step is 2.5 ε / steps: {moved:.3f}",
    )


@register_probe(
    12,
    "foolbox",
    "a pixel beyond the box by rounding stops it with a bare assertion",
    "https://github.com/bethgelab/foolbox/issues/602",
)
def bare_assertion() -> Finding:
    """One pixel at 1 + 1e-7."""
    import foolbox
    from foolbox.models.pytorch import PyTorchModel

    net, images = small_net(), some_images()
    images[0, 0, 0, 0] = 1 + 2e-7
    labels, seen, present = predicted(net, images), "it takes the image", False
    try:
        foolbox.attacks.LinfPGD(steps=1).run(PyTorchModel(net, (0, 1)), images, labels, epsilon=0.1)
    except AssertionError as error:
        seen, present = f"AssertionError with the message {str(error)!r}", True
    given = problem(net, images, labels, 0.1)
    points = adapter("pgd@foolbox", steps=1).perturb(given)
    return Finding(
        present, seen, bool(given.ball.within(points).all()), "images are copied, clipped and made float32"
    )


@register_probe(
    13,
    "foolbox",
    "a model in training mode is only warned about, and HopSkipJump clips to 0 and 1 whatever the bounds",
    f"{_FILES}/models/pytorch.py",
)
def training_mode() -> Finding:
    """Wrap a model in training mode; then the mode in which robbench lets it be attacked."""
    from foolbox.models.pytorch import PyTorchModel

    net, images = SmallNet().train(), some_images()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PyTorchModel(net, (0, 1), device="cpu")
    modes: list[bool] = []
    net.register_forward_hook(lambda module, *_: modes.append(module.training))
    adapter("fgsm@foolbox").perturb(problem(net, images, torch.zeros(6, dtype=torch.int64), 0.1))
    return Finding(
        net.training and bool(caught),
        f"{len(caught)} warning, and the model stays in training mode",
        bool(modes) and not any(modes) and "hopskipjump@foolbox" not in attacks.names(),
        "models are attacked in eval mode, and HopSkipJump is ART's",
    )
