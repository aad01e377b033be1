"""Comparing: every engine sweeps in turn, again and again, and medians go into one table."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import pandas as pd
import torch

from robbench.bench.engines import Engine, LibraryEngine, RobbenchEngine, Sweep
from robbench.bench.limit import BareNetwork, Limit
from robbench.bench.passes import Passes, single_epsilon_run
from robbench.bench.request import PreparedBench
from robbench.sweep.batch_size import remembered_batch

Say = Callable[[str], None]
"""Told what has just been measured."""

_WARM_UP_SAMPLES, _WARM_UP_STEPS = 8, 2


@dataclass(frozen=True)
class DefenseBench:
    """All that was measured on one defense.

    Attributes:
        defense: Its name.
        samples: The number of samples.
        correct: How many are correct unperturbed.
        steps: Steps of the attack.
        limit: The fastest that the bare network was at any moment, and the batch at which.
        loop_batch_size: Samples in one call of a library.
        own_batch_size: Samples in one pass of robbench's engine, at most.
        sweeps: Per engine, one sweep per repeat.
    """

    defense: str
    samples: int
    correct: int
    steps: int
    limit: Limit
    loop_batch_size: int
    own_batch_size: int
    sweeps: dict[str, list[Sweep]]

    @property
    def single(self) -> Passes:
        """What one run at one ε takes."""
        return single_epsilon_run(self.correct, self.steps)


def compare_engines(bench: PreparedBench, defense: str, say: Say) -> DefenseBench:
    """Let all engines sweep one defense in turn, A B C A B C, so that a busy moment hits none alone.

    Args:
        bench: What is measured.
        defense: A key of ``bench.workplace.defenses``.
        say: Told of every sweep.
    """
    workplace, request = bench.workplace, bench.request
    bare = BareNetwork(bench.model(defense), workplace.dataset, workplace.device, bench.precision)
    best, library_batch = bare.best(), bench.batch_size or _library_batch(bare)
    say(
        f"{defense}: the bare network makes {best.passes_per_second:,.0f} passes/s in {bench.precision}, "
        f"batch {best.batch_size}; the libraries take batches of {library_batch}"
    )
    engines = _engines(bench, defense, library_batch)
    for engine in _engines(_small(bench), defense, _WARM_UP_SAMPLES).values():
        engine.sweep()
    sweeps = {name: [] for name in engines}
    for repeat in range(request.repeats):
        best = max(best, bare.measure(best))
        for name, engine in engines.items():
            sweep = engine.sweep()
            sweeps[name].append(sweep)
            say(f"{defense}, {repeat + 1} of {request.repeats}: {sweep.label} {sweep.seconds:.1f} s")
    count = len(workplace.dataset)
    correct = round(next(iter(sweeps.values()))[0].accuracy[0.0] * count)
    tried = remembered_batch(bench.model(defense), bench.precision) if workplace.tries_batches else None
    own_batch = tried or workplace.batch_size
    return DefenseBench(defense, count, correct, bench.pgd.steps or 1, best, library_batch, own_batch, sweeps)


def comparison_table(results: list[DefenseBench], bench: PreparedBench) -> pd.DataFrame:
    """One row per defense and engine; NaN where a number does not exist, such as without any library."""
    return pd.DataFrame([row for result in results for row in _rows(result, bench)])


def _library_batch(bare: BareNetwork) -> int:
    """The batch at which the bare network is fastest as the libraries run it."""
    plain = replace(bare, precision="float32").best_batch(channels_last=False)
    return min(plain.batch_size, len(bare.dataset))


def _engines(bench: PreparedBench, defense: str, library_batch: int) -> dict[str, Engine]:
    workplace = replace(bench.workplace, batch_size=library_batch)
    engines: dict[str, Engine] = {
        library: LibraryEngine(
            library,
            bench.model(defense),
            workplace,
            bench.pgd,
            bench.epsilons,
            bench.loop_points(),
            bench.request.spec.seed,
        )
        for library in bench.request.present
    }
    for strategy in bench.request.sweeps:
        engines[f"robbench {strategy}"] = RobbenchEngine(bench.run_of(defense, strategy))
    return engines


def _small(bench: PreparedBench) -> PreparedBench:
    """The same with few samples and steps, for a first, untimed sweep of every engine."""
    few = bench.workplace.dataset.first(min(_WARM_UP_SAMPLES, len(bench.workplace.dataset)))
    pgd = replace(bench.pgd, steps=_WARM_UP_STEPS)
    return replace(
        bench,
        workplace=replace(bench.workplace, dataset=few),
        pgd=pgd,
        attack=replace(bench.attack, attack=pgd),
    )


def _rows(result: DefenseBench, bench: PreparedBench) -> list[dict[str, Any]]:
    libraries = [result.sweeps[name] for name in bench.request.present]
    missing = float("nan")
    fastest = min((median(sweep.seconds for sweep in sweeps) for sweeps in libraries), default=missing)
    quickest = min((median(sweep.work_seconds for sweep in sweeps) for sweeps in libraries), default=missing)
    rows = []
    for name, sweeps in result.sweeps.items():
        seconds, first = median(sweep.seconds for sweep in sweeps), sweeps[0]
        is_library = name in bench.request.present
        work_seconds = median(sweep.work_seconds for sweep in sweeps)
        rate = first.passes.cost / work_seconds
        rows.append(
            {
                "dataset": bench.info.name,
                "defense": result.defense,
                "attack": bench.attack.label,
                "engine": first.label,
                "samples": result.samples,
                "correct": result.correct,
                "steps": result.steps,
                "points": len(bench.epsilons),
                "points_attacked": len(bench.loop_points()) if is_library else len(bench.epsilons) - 1,
                "precision": _library_precision(bench) if is_library else bench.precision,
                "batch_size": result.loop_batch_size if is_library else result.own_batch_size,
                "seconds": seconds,
                "seconds_least": min(sweep.seconds for sweep in sweeps),
                "seconds_most": max(sweep.seconds for sweep in sweeps),
                "work_seconds": work_seconds,
                "n_forward": first.passes.forward,
                "n_backward": first.passes.backward,
                "cost": first.passes.cost,
                "passes_per_second": rate,
                "speed_up": fastest / seconds,
                "work_speed_up": quickest / work_seconds,
                "single_runs": first.passes.cost / result.single.cost if result.correct else float("nan"),
                "share_of_limit": rate / result.limit.passes_per_second,
                "points_above_best_library": _excess(
                    first, [other for other in libraries if other != sweeps]
                ),
            }
        )
    return rows


def _library_precision(bench: PreparedBench) -> str:
    """What a library's loop computes in: what torch does unless it is told otherwise."""
    is_short = bench.workplace.device.type == "cuda" and torch.backends.cudnn.allow_tf32
    return "float32, convolutions in tf32" if is_short else "float32"


def _excess(sweep: Sweep, libraries: list[list[Sweep]]) -> float:
    """The most by which a sweep claims more than the strongest of some libraries at any ε, in points.

    Of a library and the others it says how far apart runs are that differ in their random starts only.
    """
    if not libraries:
        return float("nan")
    measured = [epsilon for epsilon in libraries[0][0].accuracy if epsilon > 0]
    return max(
        100 * (sweep.accuracy[epsilon] - min(library[0].accuracy[epsilon] for library in libraries))
        for epsilon in measured
    )
