"""Probes of packages that robbench does not call, and of what differs between libraries: items 20 to 25."""

import importlib
import importlib.metadata
import tempfile
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor, nn

from robbench.agreeing.probes.imports import eager_imports
from robbench.agreeing.probes.registration import Finding, register_probe
from robbench.agreeing.probes.subjects import adapter, gray_image, predicted, problem, small_net, some_images
from robbench.attacks.gradient import PGD
from robbench.threat import TOLERANCE

_SAME = 1e-5
_STEPS, _RADIUS = 5, 0.1
_NOT_CALLED = "not applicable: robbench does not call it"


@register_probe(
    20,
    "pyautoattack",
    "a stored evaluation cannot be resumed: the set of attacks comes back as a string",
    "https://github.com/fra31/auto-attack/pull/98",
)
def autoattack_resume() -> Finding:
    """Write a state and read it back; then attack as robbench does, and look whether it writes one."""
    state = importlib.import_module("pyautoattack.state").EvaluationState
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.json"
        begun = state({"apgd-ce"}, path=path)
        begun.robust_flags = torch.tensor([True])
        kept = state.from_disk(path).attacks_to_run
    net, images = small_net(), some_images()
    with mock.patch.object(state, "to_disk") as written:
        adapter("autoattack@pyautoattack", steps=2, queries=2).perturb(
            problem(net, images, predicted(net, images), _RADIUS)
        )
    return Finding(
        kept != {"apgd-ce"},
        f"{{'apgd-ce'}} comes back as the {type(kept).__name__} {kept!r}",
        not written.called,
        "robbench calls the attacks, not the loop that keeps a state; its own store resumes",
    )


@register_probe(
    21,
    "robustbench",
    "benchmark() with a state file ends in the mean of a boolean tensor, which torch refuses",
    "https://github.com/RobustBench/robustbench/pull/117",
)
def robustbench_resume() -> Finding:
    """Look for the expression in the installed file."""
    files = importlib.metadata.files("robustbench") or []
    text = "".join(str(path.read_text()) for path in files if path.name == "eval.py")
    found = "robust_flags.mean()" in text
    seen = f"robust_flags.mean() {'stands' if found else 'does not stand'} in eval.py"
    return Finding(found, seen, not eager_imports({"robustbench"}), _NOT_CALLED)


@register_probe(
    22,
    "art",
    "CW-inf has four meanings; ART's CarliniLInfMethod looks for the nearest image and takes no ε",
    "https://github.com/MadryLab/mnist_challenge/blob/master/pgd_attack.py",
)
def cw_meanings() -> Finding:
    """Whether ART's takes a radius; then five steps on the CW loss by foolbox, ART and robbench."""
    from art.attacks.evasion import CarliniLInfMethod

    takes_radius = "eps" in CarliniLInfMethod.attack_params
    net, images = small_net(), some_images()
    given = problem(net, images, predicted(net, images), _RADIUS)
    native = PGD(steps=_STEPS, loss="cw", random_start=False)
    points, keys = images, torch.zeros(len(images), dtype=torch.int64)
    for _ in range(_STEPS):
        start = points.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(native.objective(net(start), given.labels).sum(), start)
        points = native.move(start.detach(), gradient, given.ball, keys)
    others = [
        adapter(f"pgd@{library}", steps=_STEPS, loss="cw", random_start=False).perturb(given)
        for library in ("foolbox", "art")
    ]
    return Finding(
        not takes_radius,
        f"CarliniLInfMethod takes {'a' if takes_radius else 'no'} radius",
        all(float((other - points).abs().max()) < _SAME for other in others),
        "cw is Madry's margin with κ = 50, one loss for every backend",
    )


class _Band(nn.Module):
    """Class 1 where the mean is within 0.05 of 0.6: a step of 0.08 from 0.5 lands there, a second leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))  # torchattacks reads the device off a parameter

    def forward(self, images: Tensor) -> Tensor:
        inside = 1 - (images.flatten(1).mean(1) - 0.6).abs() / 0.05
        return torch.stack([torch.zeros_like(inside), inside], 1)


@register_probe(
    23,
    "torchattacks",
    "PGD returns its last iterate, even where an earlier one was adversarial",
    "https://github.com/Harry24k/adversarial-attacks-pytorch/blob/master/torchattacks/attacks/pgd.py",
)
def last_iterate() -> Finding:
    """Two steps, of which the first succeeds and the second undoes it."""
    import torchattacks

    model, (gray, labels) = _Band().eval(), gray_image()
    raw = torchattacks.PGD(model, eps=0.16, alpha=0.08, steps=2, random_start=False)
    lost = int(predicted(model, raw(gray, labels))) == 0
    given = problem(model, gray, labels, 0.16, classes=2)
    others = [
        adapter(f"pgd@{library}", steps=2, relative_step=0.5, random_start=False).perturb(given)
        for library in ("torchattacks", "foolbox", "art")
        if _is_installed(library)
    ]
    return Finding(
        lost,
        "a success of the first step is lost in the second" if lost else "the success is kept",
        all(abs(float(points.mean()) - 0.66) < _SAME for points in others),
        "all backends return the last one; native's is judged alone under --sweep independent, any else",
    )


@register_probe(
    24,
    "torchattacks",
    "float32 steps overshoot the ball by about 2e-8, so a test of ≤ ε refuses valid images",
    "https://github.com/Trusted-AI/adversarial-robustness-toolbox/issues/507",
)
def overshoot() -> Finding:
    """The largest distance beyond ε, measured in float64."""
    import torchattacks

    net, images = small_net(), some_images(16)
    labels = predicted(net, images)
    points = torchattacks.FGSM(net, eps=_RADIUS)(images, labels)
    excess = float((points.double() - images.double()).abs().max()) - _RADIUS
    given = problem(net, images, labels, _RADIUS)
    within = given.ball.within(adapter("fgsm@torchattacks").perturb(given))
    return Finding(excess > 0, f"{excess:.1e} beyond ε", bool(within.all()), f"{TOLERANCE:g} are tolerated")


@register_probe(
    25,
    "torchattacks",
    "the loss is a mean over the batch, so gradients shrink with the batch and vanish in half precision",
    "https://github.com/Harry24k/adversarial-attacks-pytorch/blob/master/torchattacks/attacks/pgd.py",
)
def batch_mean() -> Finding:
    """The gradient of one image's logits alone and in company; then PGD alone and in company."""
    import torchattacks

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.sizes = small_net(), list[float]()

        def forward(self, images: Tensor) -> Tensor:
            logits = self.net(images)
            if logits.requires_grad:
                logits.register_hook(lambda gradient: self.sizes.append(float(gradient[0].abs().max())))
            return logits

    images, watched = some_images(), Watched().eval()
    labels = predicted(watched, images)
    for count in (1, 6):
        torchattacks.FGSM(watched)(images[:count], labels[:count])
    ratio = watched.sizes[0] / watched.sizes[-1]
    attack = adapter("pgd@torchattacks", steps=_STEPS, random_start=False)
    alone, together = (
        attack.perturb(problem(watched, images[:count], labels[:count], _RADIUS))[0] for count in (1, 6)
    )
    return Finding(
        ratio > 1.5,
        f"a gradient is {ratio:.1f} times as large alone as among 6",
        float((alone - together).abs().max()) < _SAME,
        "linf steps take its sign alone, and native, foolbox and ART sum",
    )


def _is_installed(library: str) -> bool:
    from robbench.attacks import attacks
    from robbench.attacks.catalog import is_installed

    return is_installed(attacks.get(f"pgd@{library}"))
