"""The outcomes behind an agreement: what each backend, seed and variant left unbroken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from robbench.agreeing.families import NATIVE, Family
from robbench.agreeing.request import (
    AS_RUN,
    AS_RUN_BFLOAT16,
    LAST,
    OTHER_SEED,
    SURVIVORS,
    PreparedAgreement,
)
from robbench.analysis.survival import Survival, survivals_of
from robbench.attacks.catalog import ResolvedAttack
from robbench.store import read_outcomes

BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Evidence:
    """The outcomes of one attack on one defense; all on the same samples and radii.

    Attributes:
        defense: The defense's name.
        family: The attack.
        last: Every ε anew, judged at the last iterate, by backend.
        other_seed: The same with another seed.
        without_start: The same as ``last`` without a random start; empty where there is none.
        variants: The first backend's, changed in one parameter.
        native: Native's by the strategies that count any iterate, by run; empty where native takes no part.
        precision: The arithmetic of steps that ``robbench run`` chooses here.
    """

    defense: str
    family: Family
    last: Mapping[str, Survival]
    other_seed: Mapping[str, Survival]
    without_start: Mapping[str, Survival]
    variants: Mapping[str, Survival]
    native: Mapping[str, Survival]
    precision: str

    @property
    def as_run(self) -> Survival | None:
        """What ``robbench run`` reports; None where native takes no part."""
        return self.native.get(AS_RUN_BFLOAT16 if self.precision == BFLOAT16 else AS_RUN)

    @property
    def epsilons(self) -> tuple[float, ...]:
        """The radii, ascending from 0."""
        return self.last[self.family.reference].epsilons


def read_evidence(prepared: PreparedAgreement, folders: Mapping[str, Path]) -> Iterator[Evidence]:
    """The evidence for every defense and attack.

    Args:
        prepared: The agreement.
        folders: The complete runs, by name.
    """
    outcomes = {
        name: dict(list(read_outcomes(folder).groupby("defense"))) for name, folder in folders.items()
    }
    epsilons = prepared.runs[LAST].epsilons
    for defense in prepared.runs[LAST].titles:
        found = {name: survivals_of(rows[defense], epsilons) for name, rows in outcomes.items()}
        for family in prepared.families:
            yield _of(defense, family, found, prepared.precision)


def _of(
    defense: str, family: Family, found: Mapping[str, Mapping[str, Survival]], precision: str
) -> Evidence:
    def of(attacks: Mapping[str, ResolvedAttack], run: str) -> dict[str, Survival]:
        return {key: found[run][attack.label] for key, attack in attacks.items()}

    native = {}
    if NATIVE in family.members:
        label = family.members[NATIVE].label
        native = {run: found[run][label] for run in (SURVIVORS, AS_RUN, AS_RUN_BFLOAT16) if run in found}
    return Evidence(
        defense,
        family,
        of(family.members, LAST),
        of(family.members, OTHER_SEED),
        of(family.without_start, LAST),
        of(family.variants, LAST),
        native,
        precision,
    )
