"""What the papers claim of fast trainings, as parts that can be decided, for each setting."""

from collections.abc import Mapping
from dataclasses import dataclass

from robbench.analysis.worst_of import WORST_OF
from robbench.reproducing.fast_training.evidence import CLEAN
from robbench.reproducing.fast_training.parts import Above, Collapses, Costs, NotBelow, Part
from robbench.reproducing.fast_training.settings import (
    AUTOATTACK,
    CIFAR10,
    CIFAR10_LARGE,
    DIGITS,
    PGD,
    Setting,
)

_FAST_BAT = "Zhang et al. 2022"
_BACKWARD = "Chen et al. 2022"
_GRADALIGN = "Andriushchenko & Flammarion 2020"
_N_FGSM = "de Jorge et al. 2022"
_FREE = "Shafahi et al. 2019"
_ATTACKS = (PGD, AUTOATTACK)


@dataclass(frozen=True)
class Claim:
    """A claim of a paper.

    Attributes:
        words: The claim.
        source: Who makes it.
        parts: It holds if all of them do.
    """

    words: str
    source: str
    parts: tuple[Part, ...]


def _no_collapse(title: str, defense: str, source: str) -> Claim:
    return Claim(f"{title} does not overfit catastrophically", source, (Collapses(defense, False),))


_STRONGER_THAN_FAST_AT = tuple(
    Claim(
        f"FAST-BAT is more robust than {title}",
        _FAST_BAT,
        tuple(Above("fast-bat", baseline, attack) for attack in _ATTACKS),
    )
    for baseline, title in (("fast-at", "FAST-AT"), ("fast-at-ga", "FAST-AT-GA"))
)
_FAST_BAT_CLEAN = Claim(
    "FAST-BAT loses no clean accuracy beside FAST-AT and FAST-AT-GA",
    _FAST_BAT,
    tuple(NotBelow("fast-bat", baseline, CLEAN) for baseline in ("fast-at", "fast-at-ga")),
)
_NO_COLLAPSE = (
    _no_collapse("FAST-BAT", "fast-bat", _FAST_BAT),
    _no_collapse("FAST-AT-GA", "fast-at-ga", _GRADALIGN),
    _no_collapse("N-FGSM", "n-fgsm", _N_FGSM),
)
_COLLAPSE = tuple(
    Claim(f"{title} overfits catastrophically at a large ε", source, (Collapses(defense, True),))
    for title, defense, source in (
        ("FGSM-AT", "fgsm-at", "Wong et al. 2020"),
        ("FAST-AT", "fast-at", _GRADALIGN),
    )
)
_FAMILY = (
    Claim(
        "Backward Smoothing has TRADES’s robustness",
        _BACKWARD,
        tuple(NotBelow("backward-smoothing", "trades", attack) for attack in _ATTACKS),
    ),
    Claim(
        "Backward Smoothing costs about a third of TRADES",
        _BACKWARD,
        (Costs("backward-smoothing", "trades", 1 / 3),),
    ),
    Claim("Free-AT costs what natural training does", _FREE, (Costs("free-at", "natural", 1.0),)),
    Claim(
        "Free-AT has PGD-AT’s robustness",
        _FREE,
        tuple(NotBelow("free-at", "pgd-at", attack) for attack in _ATTACKS),
    ),
    Claim(
        "Two steps have the robustness of PGD-AT’s many",
        "our question",
        tuple(NotBelow("pgd2-at", "pgd-at", attack) for attack in _ATTACKS),
    ),
    Claim(
        "NSQ-FGSM is more robust than NSQ, under all attacks together",
        "outlook of the soft-quantization paper",
        (Above("nsq-fgsm", "nsq", WORST_OF),),
    ),
)
_N_FGSM_CLAIMS = (
    Claim(
        "N-FGSM has FAST-AT-GA’s robustness",
        _N_FGSM,
        tuple(NotBelow("n-fgsm", "fast-at-ga", attack) for attack in _ATTACKS),
    ),
    Claim("N-FGSM costs about a third of FAST-AT-GA", _N_FGSM, (Costs("n-fgsm", "fast-at-ga", 1 / 3),)),
)
_AT_ANY = (*_STRONGER_THAN_FAST_AT, _FAST_BAT_CLEAN, *_NO_COLLAPSE, *_N_FGSM_CLAIMS)
CLAIMS: Mapping[Setting, tuple[Claim, ...]] = {
    DIGITS: (*_AT_ANY, *_COLLAPSE, *_FAMILY),
    CIFAR10: (*_AT_ANY, *_FAMILY),
    CIFAR10_LARGE: (*_AT_ANY, *_COLLAPSE),
}
"""All but those on digits are the papers' own; there ε = 0.3 stands in for their large ε."""
