"""Planning: from what the user asked to the computations that answer it, each made once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from robbench.attacks import IterativeAttack
from robbench.attacks.catalog import ResolvedAttack
from robbench.defenses.loading import LoadedDefense
from robbench.sweep.strategies import AUTO, SEARCHES

SEARCH_VERSION = 3
"""Raised whenever a search of the native engine comes to find something else on the same samples: rows of an
interrupted job are then not continued by an engine that searches otherwise. 1, which stood in no identity:
warm starts at the attack's own step length; 2: brief attempts of half of √steps, rounded up; 3: rounded."""


@dataclass(frozen=True)
class SweepTerms:
    """What all jobs of a run have in common.

    Attributes:
        dataset: The dataset's name.
        fingerprint: The fingerprint of the samples.
        epsilons: The grid, ascending, starting with 0.
        norm: What measures ε.
        criterion: ``top1`` or ``top5``.
        strategy: How the grid is swept.
        precision: The arithmetic of native attack steps: ``float32`` or ``bfloat16``.
        seed: The seed of the run.
    """

    dataset: str
    fingerprint: str
    epsilons: tuple[float, ...]
    norm: str
    criterion: str
    strategy: str
    precision: str
    seed: int


@dataclass(frozen=True)
class Job:
    """One computation: an attack on a defense, over a grid, on all samples.

    Attributes:
        id: 16 hex digits; equal computations have equal ids.
        defense: The defense's name.
        attack: The attack, under the view that is really differentiated.
        terms: What it has in common with all jobs of its run.
    """

    id: str
    defense: str
    attack: ResolvedAttack
    terms: SweepTerms

    @property
    def precision(self) -> str:
        """The arithmetic of its passes: only those that gradients are for are taken in any but float32."""
        attack = self.attack.attack
        follows_gradients = isinstance(attack, IterativeAttack) and attack.uses_gradient
        return self.terms.precision if follows_gradients else "float32"

    def constants(self) -> dict[str, str | int]:
        """The columns that are the same in every outcome row."""
        source = self.attack.source
        return {
            "dataset": self.terms.dataset,
            "defense": self.defense,
            "attack": self.attack.label,
            "backend": self.attack.attack.backend,
            "view": f"transfer:{source}" if source else self.attack.view,
            "loss": self.attack.loss,
            "norm": self.terms.norm,
            "criterion": self.terms.criterion,
            "strategy": self.terms.strategy,
            "seed": self.terms.seed,
            "job_id": self.id,
        }


@dataclass(frozen=True)
class Cell:
    """One curve the user asked for: a defense under an attack, answered by a job.

    Attributes:
        defense: The defense's name.
        attack: The attack's canonical name, as asked.
        job_id: The job whose outcomes it shows.
    """

    defense: str
    attack: str
    job_id: str


@dataclass(frozen=True)
class Plan:
    """All that a run computes.

    Attributes:
        jobs: The computations, in the order they are made.
        cells: The curves they answer; several may share a job.
    """

    jobs: tuple[Job, ...]
    cells: tuple[Cell, ...]

    @property
    def search_version(self) -> int | None:
        """Which search of the native engine it may be computed by; None: none."""
        return SEARCH_VERSION if any(_searches(job.attack, job.terms) for job in self.jobs) else None

    def shared(self) -> list[tuple[Cell, Cell]]:
        """Pairs of a cell and the earlier cell whose computation answers it too."""
        first: dict[str, Cell] = {}
        return [
            (cell, first[cell.job_id]) for cell in self.cells if first.setdefault(cell.job_id, cell) != cell
        ]


def make_plan(
    defenses: Sequence[LoadedDefense],
    attacks: Sequence[ResolvedAttack],
    terms: SweepTerms,
    sources: Mapping[str, LoadedDefense],
) -> Plan:
    """Lay out the jobs of a run; attacks that coincide on a defense are one job.

    Args:
        defenses: The defenses under attack.
        attacks: The attacks, as asked.
        terms: What all jobs have in common.
        sources: The defenses that transfer attacks differentiate, by name.

    Raises:
        UserError: A defense does not have the view that an attack asks for.
    """
    jobs: dict[str, Job] = {}
    cells = []
    for loaded in defenses:
        for asked in attacks:
            attack = replace(asked, view=loaded.defense.resolve_view(asked.view))
            weights = [loaded.weights_sha256, sources[asked.source].weights_sha256 if asked.source else ""]
            job_id = _job_id(loaded.name, attack, terms, weights)
            cells.append(Cell(loaded.name, asked.label, job_id))
            if job_id not in jobs:
                jobs[job_id] = Job(job_id, loaded.name, attack, terms)
    return Plan(tuple(jobs.values()), tuple(cells))


def _searches(attack: ResolvedAttack, terms: SweepTerms) -> bool:
    """Whether the native engine may search."""
    searches = (AUTO, *(search.name for search in SEARCHES))
    return terms.strategy in searches and isinstance(attack.attack, IterativeAttack)


def _job_id(defense: str, attack: ResolvedAttack, terms: SweepTerms, weights: list[str]) -> str:
    """A hash of everything that an outcome depends on."""
    parts: list[object] = [
        defense,
        attack.attack.backend,
        repr(attack.attack),
        attack.view,
        attack.source,
        asdict(terms),
        weights,
    ]
    # Nothing is added where the native engine does not search: what is stored of the rest stays valid.
    if _searches(attack, terms):
        parts.append(SEARCH_VERSION)
    parts += [attack.code] if attack.code else []
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
