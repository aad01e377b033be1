"""The local executor: one job after another, on one device, in this process."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import torch
from torch import nn

from robbench.classifier import PassCounter, channels_last, frozen, is_random, seeded, takes_channels_last
from robbench.datasets import Dataset
from robbench.defenses.loading import LoadedDefense
from robbench.executors.contract import JobRecord, OutcomeSink, RunObserver
from robbench.executors.defense_errors import blamed_on_the_defense
from robbench.sweep.passes import PassSize
from robbench.sweep.plan import Job, Plan
from robbench.sweep.runner import COMPILED, JobRun, Resources
from robbench.sweep.target import Target, View, make_target
from robbench.tensors import Images
from robbench.threat import get_norm
from robbench.torch_state import plain_torch


@dataclass(frozen=True)
class Workplace:
    """Where a plan runs and with what.

    Attributes:
        dataset: The samples.
        defenses: Every defense of the plan and every source of a transfer attack, by name.
        device: Where models and images go.
        batch_size: Samples in one pass, at most.
        tries_batches: Whether native attacks may try which batch is fastest.
    """

    dataset: Dataset
    defenses: Mapping[str, LoadedDefense]
    device: torch.device
    batch_size: int
    tries_batches: bool = False


@plain_torch()
def run_locally(plan: Plan, workplace: Workplace, sink: OutcomeSink, observer: RunObserver) -> None:
    """Run what is missing of a plan; every finished part is in the sink before the next begins."""
    for job in plan.jobs:
        record = sink.completed_jobs().get(job.id)
        if record is None:
            record = asdict(_run(job, workplace, sink, observer))
            sink.complete_job(job.id, record)
        observer.job_finished(job, JobRecord.read(job.id, record))


def _run(job: Job, workplace: Workplace, sink: OutcomeSink, observer: RunObserver) -> JobRecord:
    stored = sink.stored_indices(job.id)
    observer.job_started(job, len(stored), len(workplace.dataset))
    kept = time.perf_counter()

    def tell(done: int, counter: PassCounter) -> None:
        observer.job_progressed(job, done, counter.forward + counter.backward)

    # A randomized defense draws from the global generators, which the job seeds; the caller's are restored.
    with target_of(job, workplace) as target, seeded(job.terms.seed, workplace.device):
        resources = Resources(workplace.tries_batches, tell, _Memory(sink, job.id))
        running = JobRun(job, workplace.dataset, stored, target, resources)
        with blamed_on_the_defense(job):
            for rows in running.tables():
                now = time.perf_counter()
                sink.append(job.id, rows, now - kept)
                kept = now
    seconds = sink.seconds(job.id) + time.perf_counter() - kept
    return _record(sink.outcomes(job.id), seconds, sink.recall(job.id))


@dataclass(frozen=True)
class _Memory:
    """What one job keeps beside its rows, in the sink."""

    sink: OutcomeSink
    job_id: str

    def rows(self) -> pa.Table:
        return self.sink.outcomes(self.job_id)

    def recall(self) -> dict[str, Any]:
        return self.sink.recall(self.job_id)

    def remember(self, facts: dict[str, Any]) -> None:
        self.sink.remember(self.job_id, {**self.recall(), **facts})

    def keep_examples(self, examples: pa.Table) -> None:
        self.sink.keep_examples(self.job_id, examples)


@contextmanager
def target_of(job: Job, workplace: Workplace) -> Iterator[Target]:
    """The job's defense, moved to the device and left there for the next job; frozen until the end."""
    loaded = workplace.defenses[job.defense]
    exact = loaded.defense.model
    view = View(loaded.defense.view(job.attack.view), loaded.defense.forwards_exactly(job.attack.view))
    if job.attack.source:
        view = View(workplace.defenses[job.attack.source].defense.model, False)
    exact.to(workplace.device)
    view.model.to(workplace.device)
    models = (exact,) if view.model is exact else (exact, view.model)
    is_fast = _take_channels_last(models, job, workplace)
    varies = _are_random(models, job, workplace) or _mixes_batch(job, workplace)
    with frozen(*models), channels_last(*models) if is_fast else nullcontext():
        target = make_target(
            exact,
            view,
            job.terms.criterion,
            get_norm(job.terms.norm),
            # Targeted attacks aim at all that the model knows; a folder of photographs may have fewer.
            loaded.logits or workplace.dataset.classes,
            workplace.device,
            PassSize(workplace.batch_size, fills=not varies),
        )
        yield replace(target, channels_last=is_fast, varies=varies)


def _take_channels_last(models: Sequence[nn.Module], job: Job, workplace: Workplace) -> bool:
    """Tried on two images; what a randomized defense draws for them, nobody misses."""
    images = _two_images(workplace)
    with seeded(job.terms.seed, workplace.device):
        return all(takes_channels_last(model, images) for model in models)


def _are_random(models: Sequence[nn.Module], job: Job, workplace: Workplace) -> bool:
    """Whether any of them is, likewise."""
    images = _two_images(workplace)
    with seeded(job.terms.seed, workplace.device):
        return any(is_random(model, images) for model in models)


def _mixes_batch(job: Job, workplace: Workplace) -> bool:
    """Whether what is attacked, or differentiated for it, classifies an image by its company."""
    names = filter(None, (job.defense, job.attack.source))
    return any(workplace.defenses[name].mixes_batch for name in names)


def _two_images(workplace: Workplace) -> Images:
    few = torch.arange(min(2, len(workplace.dataset)))
    return workplace.dataset.samples(few).images.to(workplace.device)


def _record(outcomes: pa.Table, seconds: float, facts: dict[str, Any]) -> JobRecord:
    control = {key: value for key, value in facts.items() if key != COMPILED}
    count = outcomes.num_rows
    broken = [flags[-1] for flags in outcomes["broken"].to_pylist()]
    return JobRecord(
        seconds=round(seconds, 3),
        n_forward=round(outcomes["n_forward"].to_numpy().sum()) + control.get("n_forward", 0),
        n_backward=round(outcomes["n_backward"].to_numpy().sum()) + control.get("n_backward", 0),
        clean_accuracy=sum(outcomes["clean_correct"].to_pylist()) / count,
        robust_accuracy=1 - sum(broken) / count,
        samples=count,
        control=control,
        compiled=facts.get(COMPILED, False),
    )
