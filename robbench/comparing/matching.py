"""Who can be compared with whom: the same samples, attacked alike, at the same radii."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from robbench.analysis.comparison import Pair
from robbench.analysis.survival import Survival
from robbench.analysis.sweeps import Sweep, comparable_radii, differing_ingredients
from robbench.analysis.worst_of import needs_worst_of, worst_of
from robbench.comparing.gathering import Gathered
from robbench.comparing.sample_notes import differing_notes, other_samples_notes
from robbench.comparing.sweep_notes import Sweeps, other_attack_notes, thoroughness_notes, unlike_notes
from robbench.figures.titles import printable


class Matched(NamedTuple):
    """Defenses that can be compared."""

    pairs: dict[str, list[Pair]]
    """By candidate, one for each attack that both it and the baseline met, on the same samples and radii;
    then worst-of of these attacks, where it says something of its own. Candidates may differ in both."""
    dropped: dict[str, list[str]]
    """By candidate, why something that both met is not compared, or nothing can be, in sentences."""
    notes: list[str]
    """What else a reader should know, in sentences."""


class _Choice(NamedTuple):
    """The attacks under which a candidate is compared; the rest as in :class:`Matched`."""

    attacks: list[str]
    dropped: list[str]
    notes: list[str]


def match(found: Gathered, baseline: str, asked: Sequence[str]) -> Matched:
    """Bring the baseline and each candidate to the same samples, attacks and radii.

    Args:
        found: What there is; the baseline is among it.
        baseline: The baseline.
        asked: The candidates; those that are absent are passed over. Empty: all other defenses.
    """
    pairs, dropped, remarks = dict[str, list[Pair]](), dict[str, list[str]](), dict[str, list[str]]()
    shortened: dict[str, list[str]] = {}
    for name in asked or found.survivals:
        if name not in found.survivals or name == baseline:
            continue
        choice = _choose_attacks(found, baseline, name)
        sweeps = _sweeps(found, baseline, name, choice.attacks)
        epsilons = _common_radii(sweeps)
        reasons = choice.dropped
        if sweeps and not epsilons:
            reasons = [*reasons, f"{printable(name)} is left out: its grids have no radius in common but 0."]
        if reasons:
            dropped[name] = reasons
        if epsilons:
            sides = [_sides(found, baseline, name, attack) for attack in choice.attacks]
            pairs[name] = [(first.at(epsilons), second.at(epsilons)) for first, second in sides]
            remarks[name] = choice.notes
            if text := _shortened(sweeps, epsilons):
                shortened.setdefault(text, []).append(printable(name))
    notes = said_together(remarks)
    notes += [f"{', '.join(names)}: {text}" for text, names in shortened.items()]
    if needs_worst_of(side for of_one in pairs.values() for side in zip(*of_one, strict=True)):
        for of_one in pairs.values():
            first, second = (worst_of(side) for side in zip(*of_one, strict=True))
            of_one.append((first, second))
    return Matched(pairs, dropped, notes)


def said_together(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """What is said of candidates, each sentence once: who has the same but for the name is named after it.

    Args:
        notes: By candidate, what is said of it.
    """
    same: dict[tuple[str, str], dict[str, str]] = {}
    for name, sentences in notes.items():
        for sentence in sentences:
            # A command at its end may name several candidates, and is the same for all of them.
            words, _, command = sentence.partition("`")
            same.setdefault((words.replace(printable(name), ""), command), {})[printable(name)] = sentence
    together = []
    for group in same.values():
        _, *others = group
        more = f" The same goes for {', '.join(others)}." if others else ""
        together.append(next(iter(group.values())) + more)
    return together


def _choose_attacks(found: Gathered, baseline: str, name: str) -> _Choice:
    """The attacks that a candidate met as the baseline did."""
    known = found.survivals
    both = [attack for attack in known[baseline] if attack in known[name]]
    if not both:
        none = f"{printable(name)} is left out: no attack was run on both it and {printable(baseline)}."
        return _Choice([], [none], [])
    sweeps = _sweeps(found, baseline, name, both)
    foreign = {attack: pair for attack, pair in sweeps.items() if differing_ingredients(*pair)}
    same = {attack: pair for attack, pair in sweeps.items() if attack not in foreign}
    unlike = {attack: pair for attack, pair in same.items() if not _are_alike(*pair)}
    alike = [attack for attack in same if attack not in unlike]
    chosen, others = _choose_samples(found, baseline, name, alike)
    return _Choice(
        chosen,
        [*other_attack_notes(baseline, name, foreign), *unlike_notes(baseline, name, unlike), *others],
        [
            *_uneven_notes(baseline, name, known),
            *thoroughness_notes(baseline, name, {attack: sweeps[attack] for attack in chosen}),
        ],
    )


def _sides(found: Gathered, baseline: str, name: str, attack: str) -> Pair:
    return found.survivals[baseline][attack], found.survivals[name][attack]


def _sweeps(found: Gathered, baseline: str, name: str, attacks: Iterable[str]) -> Sweeps:
    return {attack: (found.sweeps[baseline, attack], found.sweeps[name, attack]) for attack in attacks}


def _are_alike(first: Sweep, second: Sweep) -> bool:
    """Whether two sweeps can be compared where there was an attack; of a clean run that is not asked."""
    return len(comparable_radii(first, second)) > 1 or 1 in (len(first.epsilons), len(second.epsilons))


def _choose_samples(
    found: Gathered, baseline: str, name: str, attacks: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The attacks that both met on one set of samples, the largest, and what is said of the others.

    Worst-of is of all attacks, and so they stand on one set.
    """
    pairs = {attack: _sides(found, baseline, name, attack) for attack in attacks}
    same = [attack for attack, (first, second) in pairs.items() if second.samples.equals(first.samples)]
    differing = {attack: pair for attack, pair in pairs.items() if attack not in same}
    notes = differing_notes(baseline, name, differing, _sweeps(found, baseline, name, differing))
    if not same:
        return [], notes
    most = max((pairs[attack][0].samples for attack in same), key=len)
    chosen = [attack for attack in same if pairs[attack][0].samples.equals(most)]
    others = [attack for attack in same if attack not in chosen]
    return chosen, notes + other_samples_notes(name, chosen, others, len(most))


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


def _common_radii(sweeps: Sweeps) -> tuple[float, ...]:
    """The radii at which a candidate can be compared under all of its attacks; none, if only 0 is left."""
    if not sweeps:
        return ()
    common = set.intersection(*(set(comparable_radii(*pair)) for pair in sweeps.values()))
    swept = all(len(sweep.epsilons) > 1 for pair in sweeps.values() for sweep in pair)
    return () if len(common) == 1 and swept else tuple(sorted(common))


def _shortened(sweeps: Sweeps, epsilons: tuple[float, ...]) -> str:
    """What a reader should know of a comparison at fewer radii than were swept; else empty."""
    grids = {sweep.epsilons for pair in sweeps.values() for sweep in pair}
    if len(grids) == 1:
        return ""
    inside = set.intersection(*map(set, grids))
    until = " and below which they agree" if len(epsilons) < len(inside) else ""
    return f"the runs have different grids; compared at the {len(epsilons)} radii that all have{until}."
