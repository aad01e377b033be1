"""Who can be compared with whom: the same samples, the same radii, at least one attack in common."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from robbench.analysis.survival import Survival
from robbench.analysis.worst_of import WORST_OF, needs_worst_of, worst_of
from robbench.comparing.gathering import Gathered
from robbench.errors import UserError
from robbench.figures.titles import printable

_SHOWN = 3


class Matched(NamedTuple):
    """Defenses that can be compared."""

    candidates: list[str]
    survivals: dict[str, dict[str, Survival]]
    """Of the baseline and the candidates, on the same samples and radii; with worst-of, where it says
    something of its own."""
    epsilons: tuple[float, ...]
    notes: list[str]


def match(found: Gathered, baseline: str, asked: Sequence[str]) -> Matched:
    """Bring the baseline and the candidates to the same samples and radii.

    Args:
        found: What there is; the baseline is among it.
        baseline: The baseline.
        asked: The candidates; those that are absent are passed over. Empty: all other defenses.

    Raises:
        UserError: The samples differ, or no radius but 0 is in all grids.
    """
    known = found.survivals
    others = [name for name in (asked or known) if name in known and name != baseline]
    candidates = [name for name in others if known[name].keys() & known[baseline].keys()]
    notes = [
        f"{printable(name)} is left out: no attack was run on both it and {printable(baseline)}."
        for name in others
        if name not in candidates
    ]
    names = [baseline, *candidates]
    if not candidates:
        return Matched([], {}, (), notes)
    _check_samples(found, names)
    epsilons = _common_radii(found, names)
    survivals = {
        name: {attack: survival.at(epsilons) for attack, survival in known[name].items()} for name in names
    }
    if len({survival.epsilons for name in names for survival in known[name].values()}) > 1:
        notes.append(f"The runs have different grids: compared at the {len(epsilons)} radii that all have.")
    if needs_worst_of(attacks.values() for attacks in survivals.values()):
        notes += _uneven(survivals, baseline)
        for attacks in survivals.values():
            attacks[WORST_OF] = worst_of(attacks.values())
    return Matched(candidates, survivals, epsilons, notes)


def _check_samples(found: Gathered, names: list[str]) -> None:
    first = next(iter(found.survivals[names[0]].values()))
    differing = [
        (name, survival)
        for name in names
        for survival in found.survivals[name].values()
        if not survival.samples.equals(first.samples)
    ]
    if not differing:
        return
    name, other = differing[0]
    more = f" So do {len(differing) - 1} other curves." if len(differing) > 1 else ""
    raise UserError(
        f"Only results on the same samples can be compared, and on {printable(found.dataset)} they differ: "
        f"{_described(names[0], first)} and {_described(name, other)}; "
        f"{_only(first.samples, other.samples, names[0], first.attack)}, "
        f"{_only(other.samples, first.samples, name, other.attack)}.{more}",
        "Run both on the same --samples, choose defenses with --candidate, or give the folder of one run.",
    )


def _described(name: str, survival: Survival) -> str:
    return f"{printable(name)} under {printable(survival.attack)} has {len(survival.samples)}"


def _only(here: pd.MultiIndex, there: pd.MultiIndex, name: str, attack: str) -> str:
    missing = here.difference(there)
    if not len(missing):
        return f"0 only {printable(name)} under {printable(attack)}"
    ids = [printable(str(key[0])) for key in missing[:_SHOWN]]
    relabelled = missing.get_level_values(0).isin(there.get_level_values(0)).sum()
    labels = f"; {relabelled} of these the other has with another label or less often" if relabelled else ""
    more = ", …" if len(missing) > _SHOWN else ""
    return f"{len(missing)} only {printable(name)} under {printable(attack)} ({', '.join(ids)}{more}{labels})"


def _common_radii(found: Gathered, names: list[str]) -> tuple[float, ...]:
    grids = [set(survival.epsilons) for name in names for survival in found.survivals[name].values()]
    common = tuple(sorted(set.intersection(*grids)))
    if not common or (len(common) == 1 and all(len(grid) > 1 for grid in grids)):
        raise UserError(
            f"The grids on {printable(found.dataset)} have no radius in common but 0.",
            "Run all defenses with the same --eps-grid.",
        )
    return common


def _uneven(survivals: dict[str, dict[str, Survival]], baseline: str) -> list[str]:
    """Worst-of takes all that was tried, so a reader must know where more was tried on one than another."""
    notes = []
    for name, attacks in survivals.items():
        only = [attack for attack in attacks if attack not in survivals[baseline]]
        lacking = [attack for attack in survivals[baseline] if attack not in attacks]
        for words, names in (("was also attacked by", only), ("was not attacked by", lacking)):
            if names:
                notes.append(
                    f"Worst-of is uneven: {printable(name)} {words} {', '.join(map(printable, names))}, "
                    f"unlike {printable(baseline)}."
                )
    return notes
