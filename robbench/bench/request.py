"""From what is asked of a benchmark to parts that are loaded and checked."""

import os
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from robbench.attacks.catalog import ResolvedAttack
from robbench.attacks.gradient import PGD
from robbench.bench.loops import LOOPS, is_installed
from robbench.datasets import DatasetInfo
from robbench.errors import UserError
from robbench.executors.local import Workplace
from robbench.preparation import PreparedRun, RunSettings, assemble, prepare, resolve_attacks
from robbench.registry import suggest
from robbench.spec import SweepSpec
from robbench.sweep.strategies import check_strategy

NO_LIBRARIES = "none"
"""What the user types to measure robbench alone."""


@dataclass(frozen=True)
class BenchRequest:
    """What a benchmark measures.

    Attributes:
        spec: Dataset, defenses, one attack, grid and seed; its ``sweep`` is not used.
        sweeps: The strategies of robbench that are measured.
        libraries: The libraries to measure; those that are not installed are left out.
        loop_points: At how many points of the grid a library is measured; None: at all.
        repeats: How often each engine sweeps.
    """

    spec: SweepSpec
    sweeps: tuple[str, ...] = ("auto",)
    libraries: tuple[str, ...] = tuple(LOOPS)
    loop_points: int | None = None
    repeats: int = 3

    def __post_init__(self) -> None:
        for strategy in self.sweeps:
            check_strategy(strategy)
        for library in self.libraries:
            if library not in (*LOOPS, NO_LIBRARIES):
                raise suggest("library", library, (*LOOPS, NO_LIBRARIES))
        if NO_LIBRARIES in self.libraries and len(self.libraries) > 1:
            raise UserError(
                f"{NO_LIBRARIES!r} stands alone among the libraries, not in {','.join(self.libraries)}.",
                "Leave it out, or give it alone to measure robbench alone.",
            )
        if len(self.spec.attacks) != 1:
            raise UserError(
                f"A benchmark takes one attack, not {len(self.spec.attacks)}.", "Such as --attack pgd100."
            )
        if self.repeats < 1:
            raise UserError(f"Every engine sweeps at least once, not {self.repeats} times.", "--repeats 3")

    @property
    def present(self) -> tuple[str, ...]:
        """The libraries asked for that are installed."""
        return tuple(name for name in self.libraries if name in LOOPS and is_installed(name))

    @property
    def missing(self) -> tuple[str, ...]:
        """The libraries asked for that are not installed."""
        return tuple(name for name in self.libraries if name in LOOPS and not is_installed(name))


def load_average() -> list[float] | None:
    """How many processes wanted a processor over the last 1, 5 and 15 minutes; None where it is not told."""
    return [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None


@dataclass(frozen=True)
class PreparedBench:
    """A benchmark that can start.

    Attributes:
        request: What is measured.
        info: The dataset's place in the benchmark.
        workplace: The samples, the defenses by name, the device and robbench's batch size.
        attack: The attack, resolved.
        pgd: The same, as its class.
        epsilons: The grid, ascending, starting with 0.
        precision: The arithmetic of robbench's steps; the libraries' is float32.
        manifest: Where the numbers come from.
        batch_size: The batch size the user gave for all engines; None: each its own.
        load_at_start: The machine's load average.
    """

    request: BenchRequest
    info: DatasetInfo
    workplace: Workplace
    attack: ResolvedAttack
    pgd: PGD
    epsilons: tuple[float, ...]
    precision: str
    manifest: dict[str, Any] = field(repr=False)
    batch_size: int | None
    load_at_start: list[float] | None = field(default_factory=load_average)

    def model(self, defense: str) -> nn.Module:
        """The exact classifier of a defense, on the device."""
        return self.workplace.defenses[defense].defense.model.to(self.workplace.device)

    def loop_points(self) -> tuple[float, ...]:
        """The points above 0 at which libraries are measured: evenly spread, the largest included."""
        above = self.epsilons[1:]
        count = self.request.loop_points or len(above)
        return tuple(above[len(above) * (i + 1) // count - 1] for i in range(count))

    def run_of(
        self,
        defense: str,
        strategy: str,
        *,
        grid: str | None = None,
        samples: int | None = None,
        steps: int | None = None,
    ) -> PreparedRun:
        """A run of one defense by one strategy.

        Args:
            defense: A key of ``workplace.defenses``.
            strategy: How the grid is swept.
            grid: Another grid.
            samples: Fewer samples.
            steps: Another number of steps.
        """
        # One of several defenses may be why none is attacked in bfloat16.
        spec = replace(self.request.spec, defenses=(defense,), sweep=strategy, precision=self.precision)
        spec = spec if grid is None else replace(spec, eps_grid=grid)
        attack = self.attack if steps is None else self._with_steps(steps)
        dataset = self.workplace.dataset if samples is None else self.workplace.dataset.first(samples)
        workplace = replace(self.workplace, dataset=dataset)
        return assemble(spec, self.info, workplace, [attack], self.manifest["command"])

    def _with_steps(self, steps: int) -> ResolvedAttack:
        attack = replace(self.pgd, steps=steps)
        return replace(self.attack, attack=attack, label=f"{self.attack.label} at {steps} steps")


def prepare_bench(request: BenchRequest, settings: RunSettings, command: str) -> PreparedBench:
    """Load and check everything.

    Args:
        request: What is measured.
        settings: Where it is measured.
        command: The command that asked for it, for the record.

    Raises:
        UserError: Anything about the request, the data or the models that cannot be.
    """
    prepared = prepare(request.spec, settings, command)
    (attack,) = resolve_attacks(request.spec, prepared.info, prepared.workplace.dataset.classes)
    epsilons = prepared.epsilons
    _check_grid(request, epsilons)
    return PreparedBench(
        request,
        prepared.info,
        prepared.workplace,
        attack,
        _same_everywhere(attack, request.spec.norm),
        epsilons,
        prepared.plan.jobs[0].terms.precision,
        prepared.manifest,
        settings.batch_size,
    )


def _check_grid(request: BenchRequest, epsilons: tuple[float, ...]) -> None:
    above = len(epsilons) - 1
    if not above:
        raise UserError("The grid holds no ε above 0: there is nothing to attack.", "Such as 0:0.3:13.")
    if request.loop_points is not None and not 1 <= request.loop_points <= above:
        raise UserError(
            f"The libraries can be measured at 1 to {above} points of this grid, "
            f"not at {request.loop_points}.",
            "Leave --library-points out to measure them at all.",
        )


def _same_everywhere(attack: ResolvedAttack, norm: str) -> PGD:
    """The attack, if all three libraries have the same one."""
    pgd = attack.attack
    # Not a subclass: a transfer attack is PGD on another model.
    is_plain = type(pgd) is PGD and pgd.loss == "ce" and pgd.restarts == 1 and attack.view == "exact"
    if not isinstance(pgd, PGD) or not is_plain or norm != "linf":
        raise UserError(
            f"{attack.label!r} in {norm} is not the same attack in all libraries.",
            "Benchmarks take PGD in linf on cross-entropy without restarts: --attack pgd100.",
        )
    return pgd
