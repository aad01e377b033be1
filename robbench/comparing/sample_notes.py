"""What a reader is told where defenses were not attacked on the same samples."""

from collections.abc import Mapping, Sequence

import pandas as pd

from robbench.analysis.comparison import Pair
from robbench.analysis.survival import Survival
from robbench.comparing.sweep_notes import Sweeps, alike_command
from robbench.figures.titles import printable

_SHOWN = 3


def differing_notes(baseline: str, name: str, pairs: Mapping[str, Pair], sweeps: Sweeps) -> list[str]:
    """Why a candidate is not compared under attacks that the baseline met on other samples.

    Args:
        baseline: The baseline's name.
        name: The candidate's.
        pairs: What survived on the baseline and on the candidate, by attack; the first is the example.
        sweeps: How these curves came about.
    """
    if not pairs:
        return []
    attack, (first, second) = next(iter(pairs.items()))
    command = ""
    if len(first.samples) != len(second.samples):
        command = f", as in `{alike_command(*sweeps[attack])}`"
    return [
        f"{printable(name)} under {', '.join(map(printable, pairs))} is left out: only results on the same "
        f"samples can be compared, and {_described(baseline, first)}, {_described(name, second)}; "
        f"{_only(first.samples, second.samples, baseline, first.attack)}, "
        f"{_only(second.samples, first.samples, name, second.attack)}. "
        f"Run both on the same --samples{command}, or give the folder of one run."
    ]


def other_samples_notes(name: str, chosen: Sequence[str], others: Sequence[str], count: int) -> list[str]:
    """Why a candidate is not compared under attacks that both met, but on other samples than the rest.

    Args:
        name: The candidate's name.
        chosen: The attacks that are compared.
        others: Those that are not.
        count: The samples of what is compared.
    """
    if not others:
        return []
    return [
        f"{printable(name)} under {', '.join(map(printable, others))} is left out: it was not run on the "
        f"{count:,} samples of {', '.join(map(printable, chosen))}, and worst-of is of all attacks on the "
        "same ones. Run all attacks on the same --samples, or give the folder of one run."
    ]


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
