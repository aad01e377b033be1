"""Running one job: from a dataset, a defense and an attack to outcome rows, a part at a time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import torch
from torch import Tensor

from robbench.attacks import BudgetAttack, IterativeAttack, MinimumNormAttack
from robbench.datasets import Dataset
from robbench.sweep.engine import IterativeSweep
from robbench.sweep.feed import windows
from robbench.sweep.outcomes import Findings, RowContext
from robbench.sweep.plan import Job
from robbench.sweep.rounds import BLOCK, LibrarySweep
from robbench.sweep.strategies import get_strategy
from robbench.sweep.target import Progress, Target

FLUSH_SECONDS = 2.0
"""Least time between two parts handed on; a long job hands on every twentieth of its time so far."""
WINDOW_VALUES = 2**27
"""Pixel values of one window: 512 MiB of float32, so that memory stays flat however large the dataset."""


@dataclass(frozen=True)
class Resources:
    """What a job runs with; none of it changes a result.

    Attributes:
        batch_size: Samples in one pass.
        progress: Told how far the job is.
    """

    batch_size: int
    progress: Progress


def run_job(
    job: Job, dataset: Dataset, stored: frozenset[int], target: Target, resources: Resources
) -> Iterator[pa.Table]:
    """Run what is missing of a job.

    Args:
        job: What to compute.
        dataset: The samples.
        stored: Positions of the samples that need no work.
        target: The defense under the job's view.
        resources: Batch size and progress.

    Yields:
        Outcome rows, each sample once; what was yielded need not be computed again.
    """
    sweep = _sweeper(job, target, resources.batch_size)
    context = RowContext(job.constants(), job.epsilons)
    clock = _FlushClock()
    done = len(stored)
    for part, size in _parts(job, dataset, stored, target):
        for window in windows(dataset, part, size, target, f"{job.seed}\x1f{job.attack.attack}"):
            findings = Findings.of(window, len(job.epsilons))
            pending = [(~window.correct).nonzero().flatten()]
            for rows in sweep.sweep(window, findings):
                pending.append(rows)
                resources.progress(done + sum(map(len, pending)), target.counter)
                if clock.due():
                    ready = torch.cat(pending)
                    yield context.table(window, findings, ready)
                    done, pending = done + len(ready), []
            if pending:
                ready = torch.cat(pending)
                yield context.table(window, findings, ready)
                done += len(ready)


def _sweeper(job: Job, target: Target, batch_size: int) -> IterativeSweep | LibrarySweep:
    attack, strategy = job.attack.attack, get_strategy(job.strategy)
    if isinstance(attack, IterativeAttack):
        return IterativeSweep(attack, target, job.epsilons, strategy, batch_size)
    if isinstance(attack, BudgetAttack | MinimumNormAttack):
        return LibrarySweep(attack, target, job.epsilons, strategy, job.seed)
    raise TypeError(f"{attack} is of no known kind")


def _parts(
    job: Job, dataset: Dataset, stored: frozenset[int], target: Target
) -> Iterator[tuple[Tensor, int]]:
    """The positions still to do, and the window size for them."""
    if isinstance(job.attack.attack, IterativeAttack):
        todo = [index for index in range(len(dataset)) if index not in stored]
        channels, height, width = dataset.shape
        if todo:
            yield torch.tensor(todo), max(1, WINDOW_VALUES // (channels * height * width))
        return
    for start in range(0, len(dataset), BLOCK):
        block = range(start, min(start + BLOCK, len(dataset)))
        if not stored.issuperset(block):
            yield torch.tensor(block), BLOCK


class _FlushClock:
    """Says when enough time has passed to hand on what is there."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def due(self) -> bool:
        now = time.monotonic()
        if now - self._last < max(FLUSH_SECONDS, (now - self._start) / 20):
            return False
        self._last = now
        return True
