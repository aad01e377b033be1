"""Who can be compared with whom: the same samples, attacked alike, at the same radii."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from robbench.analysis.comparison import Pair
from robbench.analysis.survival import Survival
from robbench.analysis.sweeps import Sweep, comparable_radii
from robbench.analysis.worst_of import needs_worst_of, worst_of
from robbench.comparing.gathering import Gathered
from robbench.comparing.sweep_notes import thoroughness_notes, unlike_notes
from robbench.errors import UserError
from robbench.figures.titles import printable

_SHOWN = 3


class Matched(NamedTuple):
    """Defenses that can be compared."""

    pairs: dict[str, list[Pair]]
    """By candidate, one for each attack that both it and the baseline met, on the same samples and radii;
    then worst-of of these attacks, where it says something of its own."""
    epsilons: tuple[float, ...]
    notes: list[str]


def match(found: Gathered, baseline: str, asked: Sequence[str]) -> Matched:
    """Bring the baseline and the candidates to the same samples, attacks and radii.

    Args:
        found: What there is; the baseline is among it.
        baseline: The baseline.
        asked: The candidates; those that are absent are passed over. Empty: all other defenses.

    Raises:
        UserError: The samples differ, or no radius but 0 is in all grids.
    """
    attacks, notes = _choose_attacks(found, baseline, asked)
    if not attacks:
        return Matched({}, (), notes)
    curves = [(name, attack) for other in attacks for name in (baseline, other) for attack in attacks[other]]
    _check_samples(found, list(dict.fromkeys(curves)))
    epsilons, shortened = _common_radii(found, baseline, attacks)
    survivals = {
        (name, attack): found.survivals[name][attack].at(epsilons) for name, attack in dict.fromkeys(curves)
    }
    pairs = {
        name: [(survivals[baseline, attack], survivals[name, attack]) for attack in attacks[name]]
        for name in attacks
    }
    if needs_worst_of(side for of_one in pairs.values() for side in zip(*of_one, strict=True)):
        for of_one in pairs.values():
            first, second = (worst_of(side) for side in zip(*of_one, strict=True))
            of_one.append((first, second))
    return Matched(pairs, epsilons, [*notes, *shortened])


def _choose_attacks(
    found: Gathered, baseline: str, asked: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """By candidate the attacks that it met as the baseline did, and what a reader should know of the rest."""
    known, chosen, notes = found.survivals, dict[str, list[str]](), list[str]()
    for name in asked or known:
        if name not in known or name == baseline:
            continue
        both = [attack for attack in known[baseline] if attack in known[name]]
        if not both:
            notes.append(
                f"{printable(name)} is left out: no attack was run on both it and {printable(baseline)}."
            )
            continue
        sweeps = {attack: (found.sweeps[baseline, attack], found.sweeps[name, attack]) for attack in both}
        unlike = [attack for attack in both if not _are_alike(*sweeps[attack])]
        alike = [attack for attack in both if attack not in unlike]
        notes += unlike_notes(baseline, name, {attack: sweeps[attack] for attack in unlike})
        if alike:
            chosen[name] = alike
            notes += _uneven_notes(baseline, name, known)
            notes += thoroughness_notes(baseline, name, {attack: sweeps[attack] for attack in alike})
    return chosen, notes


def _are_alike(first: Sweep, second: Sweep) -> bool:
    """Whether two sweeps can be compared where there was an attack; without a common ε that is not asked."""
    common = set(first.epsilons) & set(second.epsilons)
    return len(comparable_radii(first, second)) > 1 or len(common) == 1


def _uneven_notes(baseline: str, name: str, known: dict[str, dict[str, Survival]]) -> list[str]:
    """What only one of two defenses met is not compared, nor part of worst-of: it might break both."""
    only = [attack for attack in known[name] if attack not in known[baseline]]
    lacking = [attack for attack in known[baseline] if attack not in known[name]]
    return [
        f"{printable(name)} {words} {', '.join(map(printable, names))}, unlike {printable(baseline)}: "
        "not compared, and not in worst-of."
        for words, names in (("was also attacked by", only), ("was not attacked by", lacking))
        if names
    ]


def _check_samples(found: Gathered, curves: list[tuple[str, str]]) -> None:
    first = found.survivals[curves[0][0]][curves[0][1]]
    differing = [
        (name, found.survivals[name][attack])
        for name, attack in curves
        if not found.survivals[name][attack].samples.equals(first.samples)
    ]
    if not differing:
        return
    name, other = differing[0]
    baseline = curves[0][0]
    more = f" So do {len(differing) - 1} other curves." if len(differing) > 1 else ""
    raise UserError(
        f"Only results on the same samples can be compared, and on {printable(found.dataset)} they differ: "
        f"{_described(baseline, first)} and {_described(name, other)}; "
        f"{_only(first.samples, other.samples, baseline, first.attack)}, "
        f"{_only(other.samples, first.samples, name, other.attack)}.{more}",
        "Run both on the same --samples, choose defenses with `robbench compare --candidate`, or give the "
        "folder of one run.",
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


def _common_radii(
    found: Gathered, baseline: str, attacks: dict[str, list[str]]
) -> tuple[tuple[float, ...], list[str]]:
    """The radii at which everything can be compared, and what a reader should know of the rest."""
    sweeps = [
        (found.sweeps[baseline, attack], found.sweeps[name, attack])
        for name, of_one in attacks.items()
        for attack in of_one
    ]
    grids = {sweep.epsilons for pair in sweeps for sweep in pair}
    inside = set.intersection(*map(set, grids))
    common = tuple(sorted(inside.intersection(*(comparable_radii(*pair) for pair in sweeps))))
    if not common or (len(common) == 1 and all(len(grid) > 1 for grid in grids)):
        raise UserError(
            f"The grids on {printable(found.dataset)} have no radius in common but 0.",
            "Run all defenses with the same --eps-grid.",
        )
    if len(grids) == 1:
        return common, []
    until = " and below which they agree" if len(common) < len(inside) else ""
    return common, [
        f"The runs have different grids: compared at the {len(common)} radii that all have{until}."
    ]
