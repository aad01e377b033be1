"""The curves as tables: every number with its interval, and what matters most at a glance."""

from typing import Any, NamedTuple

import pandas as pd

from robbench.analysis.worst_of import WORST_OF, attack_columns, attack_count
from robbench.epsilon import EpsilonUnit
from robbench.figures.titles import LONGEST_LIST, defense_titles, printable


class Cell(NamedTuple):
    """An accuracy in percent with its 95 % interval, as text; all empty where nothing was measured."""

    accuracy: str = ""
    interval: str = ""


class CurveRow(NamedTuple):
    """One curve."""

    defense: str
    attack: str
    samples: str
    cells: list[Cell]
    """One per column of ε."""


class CurveTable(NamedTuple):
    """The curves of one dataset, norm and criterion."""

    epsilons: list[str]
    defenses: list[list[CurveRow]]
    """The rows of each defense."""


class Glance(NamedTuple):
    """What one defense comes to."""

    defense: str
    clean: Cell
    attack: str
    """What the next is measured under."""
    robust: Cell
    """At the largest ε that every curve has."""
    samples: str
    """How many both were measured on."""


def curve_table(curves: pd.DataFrame, unit: EpsilonUnit) -> CurveTable:
    """Every curve in a row, a defense's together.

    Args:
        curves: Of one dataset, norm and criterion; columns as in :data:`robbench.schema.CURVES`.
        unit: The unit of ε.
    """
    epsilons, titles = sorted(set(curves["epsilon"])), defense_titles(curves)
    defenses = []
    for name, defense in curves.assign(label=_attack_names(curves)).groupby("defense", sort=False):
        rows = []
        for attack, curve in defense.groupby("label", sort=False):
            points = {float(point["epsilon"]): _cell(point) for point in curve.to_dict("records")}
            cells = [points.get(epsilon, Cell()) for epsilon in epsilons]
            samples = f"{int(curve['n'].iloc[0]):,}"
            rows.append(CurveRow(titles[str(name)], printable(str(attack), LONGEST_LIST), samples, cells))
        defenses.append(rows)
    return CurveTable([unit.format(epsilon) for epsilon in epsilons], defenses)


def common_epsilon(curves: pd.DataFrame) -> float:
    """The largest ε that every curve has; 0 is in every grid."""
    grids = [set(curve["epsilon"]) for _, curve in curves.groupby(["defense", *attack_columns(curves)])]
    return max(set.intersection(*grids))


def at_a_glance(curves: pd.DataFrame, epsilon: float) -> list[Glance]:
    """Clean accuracy and accuracy at ``epsilon`` of every defense: the worst that is known.

    That is the attack or worst-of that leaves least; of equal ones what counts the most attacks. Clean
    accuracy is that of the same curve, and so on the same samples: other runs may have had others.
    """
    lines, titles, several = [], defense_titles(curves), _has_several_worst_of(curves)
    for name, defense in curves.groupby("defense", sort=False):
        clean = defense.loc[defense["epsilon"] == 0].to_dict("records")
        attacked = defense.loc[defense["epsilon"] == epsilon].to_dict("records")
        unperturbed, least = min(zip(clean, attacked, strict=True), key=lambda ends: _rank(ends[1]))
        samples = f"{int(least['n']):,}"
        attack = _attack(least, several)
        lines.append(Glance(titles[str(name)], _cell(unperturbed), attack, _cell(least), samples))
    return lines


def _attack_names(curves: pd.DataFrame) -> list[str]:
    """The attack of each row; where there are several worst-of, also which attacks each counts."""
    attacks = [str(attack) for attack in curves["attack"]]
    if not _has_several_worst_of(curves):
        return attacks
    counted = [f"{WORST_OF}: {names}" for names in curves["attacks"]]
    return [words if attack == WORST_OF else attack for attack, words in zip(attacks, counted, strict=True)]


def _has_several_worst_of(curves: pd.DataFrame) -> bool:
    """Whether there are worst-of over other attacks, which are other curves."""
    return "attacks" in curves and curves.loc[curves["attack"] == WORST_OF, "attacks"].nunique() > 1


def _rank(point: dict[str, Any]) -> tuple[float, int]:
    return point["robust_accuracy"], -attack_count(point["job_id"])


def _attack(point: dict[str, object], several: bool) -> str:
    """The attack; of worst-of, of how many: defenses in one table may have met different ones.

    Where there are ``several`` worst-of, also which: as many attacks need not be the same ones.
    """
    if point["attack"] != WORST_OF:
        return printable(str(point["attack"]))
    counted = f"worst of {attack_count(str(point['job_id']))}"
    return f"{counted}: {printable(str(point['attacks']), LONGEST_LIST)}" if several else counted


def _cell(point: dict[str, object]) -> Cell:
    share, low, high = (100 * float(str(point[key])) for key in ("robust_accuracy", "ci_low", "ci_high"))
    return Cell(f"{share:.1f}", f"{low:.1f} – {high:.1f}")
