"""The engines that are compared: each sweeps the grid once when told to, and says what that took."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import nn

from robbench.analysis.curves import curves_of
from robbench.attacks.gradient import PGD
from robbench.bench.limit import clock, work_clock
from robbench.bench.loops import LOOPS, LoopSetting
from robbench.bench.passes import Passes
from robbench.classifier import CountedModel, PassCounter, frozen, seeded
from robbench.executors import MemorySink, run_locally
from robbench.executors.contract import SilentObserver
from robbench.executors.local import Workplace
from robbench.preparation import PreparedRun
from robbench.running import cell_outcomes
from robbench.sweep.plan import Job


class Sweep(NamedTuple):
    """What one sweep took and found."""

    seconds: int | float
    """By the clock on the wall."""
    work_seconds: int | float
    """By :func:`robbench.bench.limit.work_clock`."""
    passes: Passes
    accuracy: dict[float, float]
    """Robust accuracy at each ε that was measured, 0 included."""
    label: str
    """The engine, and for robbench the strategy that it came to."""


@runtime_checkable
class Engine(Protocol):
    """Something that sweeps a grid."""

    def sweep(self) -> Sweep:
        """Sweep it once, timed; the outcome is the same each time."""
        ...


@dataclass(frozen=True)
class LibraryEngine:
    """A library's loop over some of the grid's points; time and passes are scaled to all of them.

    Attributes:
        name: One of :data:`robbench.bench.loops.LOOPS`.
        model: The classifier.
        workplace: The samples, the device and the batch size.
        attack: Steps, step size and random start.
        epsilons: The whole grid, 0 included.
        measured: The points above 0 at which the loop is run.
        seed: Seeds torch's and numpy's generators.
    """

    name: str
    model: nn.Module
    workplace: Workplace
    attack: PGD
    epsilons: tuple[float, ...]
    measured: tuple[float, ...]
    seed: int

    def sweep(self) -> Sweep:
        workplace, counter = self.workplace, PassCounter()
        device, count = workplace.device, len(workplace.dataset)
        samples = workplace.dataset.samples(torch.arange(count))
        counted = CountedModel(self.model.to(device), counter)
        trained = [weight for weight in counted.parameters() if weight.requires_grad]
        with frozen(counted), seeded(self.seed, device), torch.enable_grad():
            for weight in trained:  # as loaded: users of the libraries freeze nothing, and thaw nothing
                weight.requires_grad_(True)
            setting = LoopSetting(
                counted,
                samples.images,
                samples.labels,
                self.attack,
                workplace.dataset.classes,
                device,
                workplace.batch_size,
            )
            loop = LOOPS[self.name](setting)
            times = [_now(device)]
            accuracy = {0.0: loop.clean_correct() / count}
            clean_passes = Passes(counter.forward, counter.backward)
            times.append(_now(device))
            for epsilon in self.measured:
                accuracy[epsilon] = loop.robust_correct(epsilon) / count
            times.append(_now(device))
        attacked = Passes(counter.forward, counter.backward) - clean_passes
        factor = (len(self.epsilons) - 1) / len(self.measured)
        wall, work = (
            clean_end - began + (ended - clean_end) * factor
            for began, clean_end, ended in zip(*times, strict=True)
        )
        return Sweep(wall, work, clean_passes + attacked.times(factor), accuracy, self.name)


def _now(device: torch.device) -> tuple[float, float]:
    """The clock on the wall, and that of the work."""
    return clock(device), work_clock(device)


class _PassWatch(SilentObserver):
    """Reads the counter of the passes that were really made, those of idle slots included."""

    def __init__(self) -> None:
        self.passes = 0

    def job_progressed(self, job: Job, done: int, passes: int) -> None:
        self.passes = passes


@dataclass(frozen=True)
class RobbenchEngine:
    """robbench's sweep, rows and curves kept in memory.

    Attributes:
        prepared: A run of one defense under one attack.
    """

    prepared: PreparedRun

    def sweep(self) -> Sweep:
        prepared, sink, watch = self.prepared, MemorySink(), _PassWatch()
        device = prepared.workplace.device
        began = _now(device)
        run_locally(prepared.plan, prepared.workplace, sink, watch)
        outcomes = cell_outcomes(prepared.plan, sink)
        curves = curves_of(outcomes, prepared.epsilons)
        wall, work = (end - start for start, end in zip(began, _now(device), strict=True))
        (record,) = sink.completed_jobs().values()
        # Between two settlements on a GPU a decided slot makes passes that no sample is charged for.
        idle = max(0, watch.passes - record["n_forward"] - record["n_backward"]) / 2
        accuracy = dict(zip(curves["epsilon"].tolist(), curves["robust_accuracy"].tolist(), strict=True))
        strategies = sorted(set(outcomes["strategy"].to_pylist()))
        passes = Passes(record["n_forward"] + idle, record["n_backward"] + idle)
        return Sweep(wall, work, passes, accuracy, f"robbench {' and '.join(strategies)}")
