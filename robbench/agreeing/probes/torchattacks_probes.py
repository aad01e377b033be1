"""Probes of torchattacks (Kim 2020, arXiv:2010.01950): items 1 to 10 of the conformance list."""

import importlib.metadata

import torch

from robbench.agreeing.probes.imports import eager_imports
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
from robbench.attacks.calling import stand_in
from robbench.attacks.torchattacks_autoattack import TorchattacksAutoAttack

_ISSUES = "https://github.com/Harry24k/adversarial-attacks-pytorch/issues"
_FILES = "https://github.com/Harry24k/adversarial-attacks-pytorch/blob/master/torchattacks"


@register_probe(1, "torchattacks", "AutoAttack runs with 10 steps; its authors use 100", f"{_ISSUES}/196")
def autoattack_steps() -> Finding:
    """The steps of the parts, the library's and robbench's."""
    import torchattacks

    theirs = [part.steps for part in torchattacks.AutoAttack(small_net(), eps=0.1)._autoattack.attacks[:3]]
    given = problem(small_net(), some_images(), torch.zeros(6, dtype=torch.int64), 0.1)
    parts = list(TorchattacksAutoAttack()._parts(stand_in(given), given))
    ours = [part.steps for part in parts[:-1]]
    return Finding(
        min(theirs) < 100,
        f"its parts take {', '.join(map(str, theirs))} steps",
        ours == [100] * 3,
        f"robbench builds the parts itself, with {', '.join(map(str, ours))} steps",
    )


@register_probe(
    2,
    "torchattacks",
    "setting .eps of AutoAttack does not reach its parts: a loop over ε gives a flat line",
    f"{_FILES}/attacks/autoattack.py",
)
def autoattack_radius() -> Finding:
    """Set a radius after construction; then how far robbench's attack moves at two radii."""
    import torchattacks

    attack = torchattacks.AutoAttack(small_net(), eps=0.1)
    attack.eps = 0.3
    parts = {part.eps for part in attack._autoattack.attacks}
    net, images = small_net(), some_images()
    ours = adapter("autoattack@torchattacks", steps=2, queries=5)
    moved = [
        float((ours.perturb(problem(net, images, predicted(net, images), radius)) - images).abs().max())
        for radius in (0.05, 0.2)
    ]
    return Finding(
        parts != {0.3},
        f"set to 0.3, the parts keep {', '.join(f'{radius:g}' for radius in sorted(parts))}",
        all(abs(far - radius) < 1e-6 for far, radius in zip(moved, (0.05, 0.2), strict=True)),
        "the attack is built anew for every call",
    )


@register_probe(
    3,
    "torchattacks",
    "the default step is absolute, 2/255: ten steps cannot cross a ball of 0.3",
    f"{_FILES}/attacks/pgd.py",
)
def absolute_step() -> Finding:
    """How far ten steps go towards a boundary that lies straight ahead."""
    import torchattacks

    gray, labels = gray_image()
    raw = torchattacks.PGD(Brightness(), eps=0.3, random_start=False)
    theirs = float((raw(gray, labels) - gray).abs().max())
    moved = distance_moved("pgd@torchattacks", 0.3, steps=10)
    return Finding(
        theirs < 0.29,
        f"at ε = 0.3 its PGD moves {theirs:.3f}",
        abs(moved - 0.3) < 1e-6,
        f"robbench's step is 2.5 ε / steps: {moved:.3f}",
    )


@register_probe(
    4,
    "torchattacks",
    "CW cannot move a pixel that is exactly 0 or 1, as MNIST's are",
    f"{_FILES}/attacks/cw.py",
)
def cw_at_the_box() -> Finding:
    """CW on black and white images."""
    import torchattacks

    net, binary = small_net(), some_images().round()
    moved = float((torchattacks.CW(net, c=10, steps=5)(binary, predicted(net, binary)) - binary).abs().max())
    return Finding(
        moved == 0, f"on black and white images it moves {moved:g}", _no_cw_adapter(), "its CW is not offered"
    )


@register_probe(
    5,
    "torchattacks",
    "CW takes 0 for the runner-up where the other logits are negative",
    "https://github.com/Harry24k/adversarial-attacks-pytorch/pull/168",
)
def cw_negative_logits() -> Finding:
    """The objective for logits -1 and -2, whose margin is 1."""
    import torchattacks

    attack = torchattacks.CW(small_net(), kappa=0)
    value = float(attack.f(torch.tensor([[-1.0, -2.0]]), torch.tensor([0])))
    return Finding(
        value != 1, f"for a margin of 1 it sees {value:g}", _no_cw_adapter(), "its CW is not offered"
    )


@register_probe(6, "torchattacks", "a frozen BatchNorm comes back in training mode", f"{_ISSUES}/21")
def training_mode() -> Finding:
    """FGSM on a model in training whose BatchNorm is frozen."""
    import torchattacks

    net, images = SmallNet().train(), some_images()
    labels = torch.zeros(6, dtype=torch.int64)
    net.norm.eval()
    torchattacks.FGSM(net)(images, labels)
    unfrozen = net.norm.training
    net.norm.eval()
    adapter("fgsm@torchattacks").perturb(problem(net, images, labels, 0.1))
    return Finding(
        unfrozen,
        "after FGSM the frozen layer trains" if unfrozen else "after FGSM it is as before",
        net.training and not net.norm.training,
        "every module's mode is restored",
    )


@register_probe(
    7,
    "torchattacks",
    "a model of the class RobModel switches on normalization, and images in [0, 1] then leave the ball",
    f"{_ISSUES}/103",
)
def normalization() -> Finding:
    """How far FGSM moves the images of such a model."""
    import torchattacks

    class RobModel(SmallNet):
        mean, std = torch.tensor([0.5]), torch.tensor([0.2])

    net, images = RobModel().eval(), some_images()
    labels = predicted(net, images)
    theirs = float((torchattacks.FGSM(net, eps=0.1)(images, labels) - images).abs().max())
    given = problem(net, images, labels, 0.1)
    return Finding(
        theirs > 0.1 + 1e-6,
        f"at ε = 0.1 it moves {theirs:.2f}",
        bool(given.ball.within(adapter("fgsm@torchattacks").perturb(given)).all()),
        "the library sees a stand-in that has no such name",
    )


@register_probe(
    8, "torchattacks", "APGD, FAB and Square reseed torch's global generator", f"{_FILES}/attacks/apgd.py"
)
def global_seed() -> Finding:
    """The generator's state before and after."""
    import torchattacks

    net, images = small_net(), some_images()
    labels = predicted(net, images)
    before = torch.get_rng_state()
    torchattacks.APGD(net, steps=2)(images, labels)
    changed = not torch.equal(torch.get_rng_state(), before)
    before = torch.get_rng_state()
    adapter("apgd@torchattacks", steps=2).perturb(problem(net, images, labels, 0.1))
    return Finding(
        changed,
        "after APGD the generator's state is another" if changed else "the generator's state is as before",
        torch.equal(torch.get_rng_state(), before),
        "the state is restored",
    )


@register_probe(
    9, "torchattacks", "FAB and CW leave gradients in the model's weights", f"{_FILES}/attacks/fab.py"
)
def gradients_left() -> Finding:
    """The weights' gradients after FAB."""
    import torchattacks

    net, images = small_net(), some_images()
    labels = predicted(net, images)
    torchattacks.FAB(net, steps=1, n_classes=5)(images, labels)
    left = net.head.weight.grad is not None
    clean = small_net()
    adapter("autoattack@torchattacks", steps=2, queries=2).perturb(problem(clean, images, labels, 0.01))
    return Finding(
        left,
        "after FAB the weights hold gradients" if left else "after FAB the weights hold none",
        all(weight.grad is None for weight in clean.parameters()),
        "the weights are frozen and restored",
    )


@register_probe(
    10,
    "torchattacks",
    "it pins requests~=2.25.1 and installs a module robustbench over the real one",
    f"{_ISSUES}/205",
)
def packaging() -> Finding:
    """What the installed package requires and brings."""
    pins = [need for need in importlib.metadata.requires("torchattacks") or [] if need.startswith("requests")]
    folders = {path.parts[0] for path in importlib.metadata.files("torchattacks") or []}
    shadows = "robustbench" in folders
    eager = eager_imports({"torchattacks", "robustbench", "requests", "foolbox", "eagerpy", "art"})
    return Finding(
        shadows or any("2.25" in pin for pin in pins),
        f"requires {', '.join(pins) or 'no requests'}; {'brings' if shadows else 'leaves out'} robustbench",
        not eager,
        "robbench imports a library when one of its attacks runs, and robustbench never",
    )


def _no_cw_adapter() -> bool:
    return not [name for name in attacks.names() if name.startswith("cw")]
