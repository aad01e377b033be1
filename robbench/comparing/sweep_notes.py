"""What a reader is told where two defenses were not attacked and swept alike."""

import shlex
from collections.abc import Collection, Mapping

from robbench.analysis.sweeps import Sweep, differing_ingredients, swept_unlike
from robbench.epsilon import natural_unit, typed_grid
from robbench.figures.titles import printable

Sweeps = Mapping[str, tuple[Sweep, Sweep]]
"""By attack: how the baseline's curve came about, and a candidate's."""

_WHOLE = 2000
"""Characters of a command or a folder, which nobody can type when it is shortened."""
_UNKNOWN = "robbench run …"


def other_attack_notes(baseline: str, name: str, sweeps: Sweeps) -> list[str]:
    """Why a candidate is not compared under attacks that have one name and are not the same.

    Args:
        baseline: The baseline's name.
        name: The candidate's.
        sweeps: Those whose attacks are made of something else.
    """
    notes = []
    for (first, second), attacks in _by_pair(sweeps).items():
        parts = differing_ingredients(first, second)
        are = "are" if parts[0].startswith("weights") else "is"
        notes.append(
            f"{printable(name)} under {attacks} is left out: it is another attack there, because the "
            f"{' and the '.join(map(printable, parts))} {are} not the same. {_swept(baseline, first)}; "
            f"{_swept(name, second)}. Run both with the same --models-dir and the same packages."
        )
    return notes


def unlike_notes(baseline: str, name: str, sweeps: Sweeps) -> list[str]:
    """Why a candidate is not compared under some attacks, and what to type so that it can be.

    Args:
        baseline: The baseline's name.
        name: The candidate's.
        sweeps: Those that cannot be compared.
    """
    notes = []
    for (first, second), attacks in _by_pair(sweeps).items():
        notes.append(
            f"{printable(name)} under {attacks} is left out: {_unlike(first, second)}. "
            f"{_swept(baseline, first)}; {_swept(name, second)}. To sweep it alike: "
            f"`{alike_command(first, second)}`."
        )
    return notes


def alike_command(first: Sweep, second: Sweep) -> str:
    """What to type, in print, so that a candidate is attacked as the baseline was.

    Args:
        first: How the baseline's curve came about.
        second: How the candidate's did.
    """
    options = {"--sweep": first.asked, "--eps-grid": _grid(first), "--out": f"{second.run}-alike"}
    if first.samples != second.samples:
        options = {"--samples": str(first.samples), **options}
    known = _without(second.command, options) if second.command.startswith("robbench run ") else _UNKNOWN
    typed = shlex.join([word for option in options.items() for word in option])
    return printable(f"{known} {typed}", longest=_WHOLE)


def _without(command: str, options: Collection[str]) -> str:
    """A command without some of its options and their values, which may be left out."""
    try:
        words = shlex.split(command)
    except ValueError:  # nothing that a shell would take
        return _UNKNOWN
    kept, is_value = list[str](), False
    for word in words:
        name, given, _ = word.partition("=")
        is_value = is_value and not word.startswith("-")
        if not is_value and name not in options:
            kept.append(word)
        is_value = name in options and not given
    return shlex.join(kept)


def thoroughness_notes(baseline: str, name: str, sweeps: Sweeps) -> list[str]:
    """Where a candidate is compared and one of both sweeps may find more.

    Args:
        baseline: The baseline's name.
        name: The candidate's.
        sweeps: Those that can be compared.
    """
    return [
        f"The sweeps under {attacks} differ, and one may find some points more than the other. "
        f"{_swept(baseline, first)}; {_swept(name, second)}. `--sweep survivors` sweeps all defenses alike."
        for (first, second), attacks in _by_pair(sweeps).items()
        if swept_unlike(first, second)
    ]


def _unlike(first: Sweep, second: Sweep) -> str:
    if set(first.epsilons) & set(second.epsilons) == {0.0}:
        return "the grids have no radius in common but 0"
    return "a sweep from ε to ε finds more or less than another one, so a difference might be the sweeps'"


def _by_pair(sweeps: Sweeps) -> dict[tuple[Sweep, Sweep], str]:
    """The attacks of each pair of sweeps, in print."""
    found: dict[tuple[Sweep, Sweep], list[str]] = {}
    for attack, pair in sweeps.items():
        found.setdefault(pair, []).append(printable(attack))
    return {pair: ", ".join(attacks) for pair, attacks in found.items()}


def _swept(name: str, sweep: Sweep) -> str:
    where = printable(sweep.run, longest=_WHOLE)
    return f"{printable(name)}: {printable(sweep.strategy)} over {_grid(sweep)} in {where}"


def _grid(sweep: Sweep) -> str:
    return typed_grid(sweep.epsilons, natural_unit(sweep.epsilons))
