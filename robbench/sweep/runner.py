"""Running one job: from a dataset, a defense and an attack to outcome rows, a part at a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
import torch
from torch import Tensor

from robbench.attacks import BudgetAttack, IterativeAttack, MinimumNormAttack
from robbench.classifier import reseed
from robbench.datasets import Dataset
from robbench.randomness import key_of
from robbench.schema import MINIMUM_NORM
from robbench.sweep.batch_size import fastest_batch
from robbench.sweep.compiling import compiled_if_sound, long_enough
from robbench.sweep.control import ControlResult, control_sample, disagreement
from robbench.sweep.engine import IterativeSweep
from robbench.sweep.feed import Window, load_ahead, open_window
from robbench.sweep.gradients import Gradients, Models
from robbench.sweep.outcomes import Findings, RowContext
from robbench.sweep.plan import Job
from robbench.sweep.rounds import BLOCK, LibrarySweep
from robbench.sweep.strategies import AUTO, THOROUGH, get_strategy
from robbench.sweep.target import Progress, Target

FLUSH_SECONDS = 2.0
"""Least time between two parts handed on; a longer job hands on every twentieth of its time so far."""
LONGEST_FLUSH_SECONDS = 60.0
"""Most time between two: a kill may cost no more of a job of hours."""
COMPILED = "compiled"
"""Under what a job remembers that its passes are compiled."""
WINDOW_VALUES = 2**27
"""Pixel values of one window: 512 MiB of float32, and as much of the next one, however large the dataset."""


@runtime_checkable
class JobMemory(Protocol):
    """What a job has kept: its rows so far, and a few facts for the process that continues it."""

    def rows(self) -> pa.Table:
        """The outcome rows kept so far, those just handed on included."""
        ...

    def recall(self) -> dict[str, Any]:
        """What was kept; empty at first."""
        ...

    def remember(self, facts: dict[str, Any]) -> None:
        """Keep some facts, beside those that were kept under other names."""
        ...

    def keep_examples(self, examples: pa.Table) -> None:
        """Keep some adversarial images, columns as in :data:`robbench.schema.EXAMPLES`."""
        ...


@dataclass(frozen=True)
class Resources:
    """What a job runs with; none of it changes a result of a defense whose forward pass is deterministic.

    Attributes:
        tries_batches: Whether a smaller batch may be found to be faster.
        progress: Told how far the job is.
        memory: Keeps the control's verdict and a few adversarial images.
    """

    tries_batches: bool
    progress: Progress
    memory: JobMemory


@dataclass
class JobRun:
    """One job being run, inside :func:`robbench.classifier.seeded`: it seeds the global generators.

    Attributes:
        job: What to compute.
        dataset: The samples.
        stored: Positions of the samples that need no work.
        target: The defense under the job's view; its passes hold so many samples, at most.
        resources: Progress and memory.
    """

    job: Job
    dataset: Dataset
    stored: frozenset[int]
    target: Target
    resources: Resources
    _done: int = field(init=False)

    def __post_init__(self) -> None:
        self._done = len(self.stored)
        if self._is_library():
            # It hands on nothing before a block of samples is through, which may take many minutes.
            self.target.counter.on_forward = lambda: self._tell(0)

    def tables(self) -> Iterator[pa.Table]:
        """Run what is missing.

        Yields:
            Outcome rows, each sample once; what was yielded need not be computed again.
        """
        everything = torch.arange(len(self.dataset))
        if self.job.terms.strategy != AUTO:
            yield from self._sweep(everything, self.job.terms.strategy)
            return
        control = control_sample(len(self.dataset), self.job.terms.seed)
        if self._is_library():
            # A minimum-norm attack leaves nothing to search; any other draws by who shares its call, so that
            # the control would tell one draw from another and not what a search leaves out.
            control = control[:0]
        if not len(control):
            yield from self._sweep(everything, THOROUGH)
            return
        yield from self._sweep(control, THOROUGH)
        strategy = self._choose(control)
        yield from self._sweep(everything[~torch.isin(everything, control)], strategy)

    def _sweep(self, indices: Tensor, strategy: str) -> Iterator[pa.Table]:
        """Sweep the samples at some positions by one strategy, a part at a time; no part is empty."""
        context, sweeper = self._context(strategy), self._sweeper(strategy)
        clock = _FlushClock()
        for window in self._windows(self._parts(indices)):
            findings = self._findings(window)
            pending = [(~window.correct).nonzero().flatten()]
            for rows in sweeper.sweep(window, findings):
                pending.append(rows)
                self._tell(sum(map(len, pending)))
                if clock.due():
                    yield self._hand_on(context, window, findings, pending)
                    pending = []
            if pending:
                yield self._hand_on(context, window, findings, pending)

    def _findings(self, window: Window) -> Findings:
        return Findings.of(window, len(self.job.terms.epsilons), self.target.exact_passes)

    def _hand_on(
        self, context: RowContext, window: Window, findings: Findings, pending: list[Tensor]
    ) -> pa.Table:
        rows = torch.cat(pending)
        self._done += len(rows)
        table = context.table(window, findings, rows)
        # Before the rows: what has rows is not computed again.
        self.resources.memory.keep_examples(findings.examples.table(window, rows, table))
        return table

    def _choose(self, control: Tensor) -> str:
        """The cheapest search that agrees with the control's thorough rows, which are stored by now."""
        memory = self.resources.memory
        known = {key: value for key, value in memory.recall().items() if key != COMPILED}
        result = ControlResult(**{"samples": len(control), **known})
        rows = memory.rows()
        broken = dict(zip(rows["sample_index"].to_pylist(), rows["broken"].to_pylist(), strict=True))
        thorough = torch.tensor([broken[index] for index in control.tolist()])
        while untried := result.untried():
            name, counter = untried[0].name, self.target.counter
            before = (counter.forward, counter.backward)
            points = disagreement(thorough, self._search(control, name))
            passes = (counter.forward - before[0], counter.backward - before[1])
            result = result.with_search(name, points, passes)
            memory.remember(asdict(result))
        return result.strategy

    def _search(self, control: Tensor, strategy: str) -> Tensor:
        """What a search finds broken in the control, per sample and grid ε."""
        found = []
        for window in self._windows(control.split(self._window_size())):
            findings = self._findings(window)
            for _ in self._sweeper(strategy).sweep(window, findings):
                self._tell(0)
            found.append(findings.broken.cpu())
        return torch.cat(found)

    def _tell(self, pending: int) -> None:
        self.resources.progress(min(self._done + pending, len(self.dataset)), self.target.counter)

    def _context(self, strategy: str) -> RowContext:
        """The constant columns; under auto they say which strategy it came to."""
        label = strategy if self.job.terms.strategy == strategy else f"{self.job.terms.strategy}: {strategy}"
        if isinstance(self.job.attack.attack, MinimumNormAttack):
            label = MINIMUM_NORM
        return RowContext({**self.job.constants(), "strategy": label}, self.job.terms.epsilons)

    def _windows(self, parts: Sequence[Tensor]) -> Iterator[Window]:
        """The windows; what a randomized defense draws in one does not depend on those before it."""
        key = f"{self.job.terms.seed}\x1f{self.job.attack.attack}"
        for part, samples in load_ahead(self.dataset, parts):
            # What it draws for the unperturbed images is the same under every attack.
            reseed(key_of("clean", self.job.terms.seed, part.tolist()) % 2**63, self.target.device)
            window = open_window(samples, part, self.target, key)
            # The seed of the run is in the id of the job.
            reseed(key_of("defense", self.job.id, part.tolist()) % 2**63, self.target.device)
            yield window

    @cached_property
    def _compiled(self) -> Models | None:
        """What makes a native attack's passes faster; a process that goes on does as the first one did."""
        attack, memory = self.job.attack.attack, self.resources.memory
        if not isinstance(attack, IterativeAttack):
            return None
        gradients = Gradients(attack, self.target, self.job.precision)
        if memory.recall().get(COMPILED):
            return compiled_if_sound(gradients, self.dataset, must_be_faster=False)
        # Rows without a word of it were begun as they are, and another measurement might decide otherwise.
        if self.stored or not long_enough(gradients, self.dataset):
            return None
        models = compiled_if_sound(gradients, self.dataset)
        if models is not None:
            memory.remember({COMPILED: True})
        return models

    def _is_library(self) -> bool:
        return not isinstance(self.job.attack.attack, IterativeAttack)

    def _window_size(self) -> int:
        channels, height, width = self.dataset.shape
        return max(1, WINDOW_VALUES // (channels * height * width))

    def _parts(self, indices: Tensor) -> Sequence[Tensor]:
        """The positions still to do, window by window; a library has whole blocks for windows."""
        if self._is_library():
            blocks = indices.split(BLOCK)
            return [block for block in blocks if not self.stored.issuperset(block.tolist())]
        todo = [index for index in indices.tolist() if index not in self.stored]
        return torch.tensor(todo).split(self._window_size()) if todo else []

    def _sweeper(self, strategy: str) -> IterativeSweep | LibrarySweep:
        job, attack, order = self.job, self.job.attack.attack, get_strategy(strategy)
        if isinstance(attack, IterativeAttack):
            gradients = Gradients(attack, self.target, job.precision, self._compiled)
            size = self.target.size.largest
            if self.resources.tries_batches:
                size = fastest_batch(gradients, self.dataset)
            return IterativeSweep(gradients, job.terms.epsilons, order, size)
        if isinstance(attack, BudgetAttack | MinimumNormAttack):
            return LibrarySweep(attack, self.target, job.terms.epsilons, order, job.terms.seed)
        raise TypeError(f"{attack} is of no known kind")


class _FlushClock:
    """Says when enough time has passed to hand on what is there."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def due(self) -> bool:
        now = time.monotonic()
        if now - self._last < max(FLUSH_SECONDS, min((now - self._start) / 20, LONGEST_FLUSH_SECONDS)):
            return False
        self._last = now
        return True
