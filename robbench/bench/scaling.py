"""Scaling: what robbench's sweep costs as the grid, the samples and the steps grow."""

from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

import pandas as pd

from robbench.bench.comparison import Say
from robbench.bench.engines import RobbenchEngine, Sweep
from robbench.bench.passes import single_epsilon_run
from robbench.bench.request import PreparedBench

POINTS = (7, 13, 25, 49)
"""Grid sizes, 0 included, all with the same largest ε."""
SHARES = (1 / 8, 1 / 4, 1 / 2, 1)
"""Shares of the samples asked for, and of the steps asked for."""


class _Case(NamedTuple):
    """One size of the sweep; the other two quantities are as asked."""

    varied: str
    points: int
    samples: int
    steps: int


def measure_scaling(bench: PreparedBench, say: Say) -> pd.DataFrame:
    """Sweep every defense at every size by the one strategy asked for, all sizes in turn, repeated.

    Args:
        bench: What is measured.
        say: Told of every sweep.

    Returns:
        One row per defense and size. ``varied`` says which of ``points``, ``samples`` and ``steps``
        the row belongs to; ``single_runs`` is the cost in runs at one ε of the same samples and steps.
    """
    rows = []
    for defense in bench.workplace.defenses:
        cases = list(_cases(bench))
        engines = [_engine(bench, defense, case) for case in cases]
        engines[0].sweep()  # untimed: the first sweep of a process pays for what later ones find ready
        sweeps: list[list[Sweep]] = [[] for _ in cases]
        for _ in range(bench.request.repeats):
            for case, engine, taken in zip(cases, engines, sweeps, strict=True):
                taken.append(engine.sweep())
                say(f"{defense}, {_in_words(case)}: {taken[-1].label} {taken[-1].seconds:.1f} s")
        rows += [_row(bench, defense, case, taken) for case, taken in zip(cases, sweeps, strict=True)]
    return pd.DataFrame(rows)


def _cases(bench: PreparedBench) -> Iterator[_Case]:
    """The sizes, smallest first; sizes that coincide on small data are measured once."""
    points, samples, steps = len(bench.epsilons), len(bench.workplace.dataset), bench.pgd.steps or 1
    for size in POINTS:
        yield _Case("points", size, samples, steps)
    for count in _parts(samples):
        yield _Case("samples", points, count, steps)
    for count in _parts(steps):
        yield _Case("steps", points, samples, count)


def _parts(whole: int) -> list[int]:
    return sorted({max(1, round(share * whole)) for share in SHARES})


def _engine(bench: PreparedBench, defense: str, case: _Case) -> RobbenchEngine:
    # The grid as asked may be uneven; only where its size is varied is it replaced by an even one.
    grid = f"0:{bench.epsilons[-1]!r}:{case.points}" if case.varied == "points" else None
    (strategy,) = bench.request.sweeps
    prepared = bench.run_of(defense, strategy, grid=grid, samples=case.samples, steps=case.steps)
    return RobbenchEngine(prepared)


def _in_words(case: _Case) -> str:
    return f"{case.points} points, {case.samples} samples, {case.steps} steps"


def _row(bench: PreparedBench, defense: str, case: _Case, sweeps: list[Sweep]) -> dict[str, Any]:
    first, seconds = sweeps[0], median(sweep.seconds for sweep in sweeps)
    correct = round(first.accuracy[0.0] * case.samples)
    single = single_epsilon_run(correct, case.steps)
    return {
        "dataset": bench.info.name,
        "defense": defense,
        "attack": bench.attack.label,
        "engine": first.label,
        **case._asdict(),
        "correct": correct,
        "seconds": seconds,
        "work_seconds": median(sweep.work_seconds for sweep in sweeps),
        "n_forward": first.passes.forward,
        "n_backward": first.passes.backward,
        "cost": first.passes.cost,
        "single_runs": first.passes.cost / single.cost if correct else float("nan"),
    }
