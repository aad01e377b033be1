"""The accuracies that the paper states as numbers, each at its own ε: so all test images are affordable."""

from robbench.analysis.protocols import PAPER, STRONGER
from robbench.reproducing.curve_targets import TableTarget, attacks_of
from robbench.reproducing.registration import register_target
from robbench.reproducing.sweeps import PaperRun, Training

_PART = "stated"
_STEPS = {"cifar10": 20, "mnist": 100}
"""Shorter runs come first."""
_RADII = {"cifar10": "0,8/255", "mnist": "0,0.075,0.3"}
"""Where the paper states accuracies, and 0.075 for what it says of NSQ below 0.1."""
_DEFENSES = ("nsq", "pgd-at")


def _run(dataset: str, defense: str, protocol: str) -> PaperRun:
    """As for Figures 3 and 4, but at the stated radii, and without what the paper gives no number for."""
    steps = _STEPS[dataset]
    if protocol == PAPER:
        attacks, radii = (f"pgd{steps}", f"bpda{steps}-substitute"), _RADII[dataset]
    else:
        attacks = tuple(attack for attack in attacks_of(STRONGER, steps) if "smooth" not in attack)
        radii = ""  # the dataset's one standard ε
    return PaperRun(Training(dataset, defense), protocol, attacks, part=_PART, eps_grid=radii)


@register_target
class Numbers(TableTarget):
    """A curve of 13 points costs more than ten times as much; these fit a machine without a GPU."""

    name = "numbers"
    title = "The stated numbers"
    caption = "CIFAR-10 and MNIST: NSQ and PGD-AT at the radii for which the paper gives numbers"
    runs = tuple(
        _run(dataset, defense, protocol)
        for dataset in _STEPS
        for protocol in (PAPER, STRONGER)
        for defense in _DEFENSES
    )
