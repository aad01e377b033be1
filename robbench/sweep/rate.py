"""How many passes a device makes per second, measured in a short trial that nobody is charged for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from robbench.sweep.gradients import Gradients
from robbench.sweep.target import Target
from robbench.tensors import Images, Labels

REPEATS = 3
"""Passes that are timed, after one to warm up; the fastest counts."""


def passes_per_second(gradients: Gradients, images: Images, labels: Labels) -> float:
    """Images a second that are sent forward and back, all together in one batch.

    On a CPU a second is one of processor time, which other programs do not lengthen, and of which there are
    as many as threads in each second of the clock.

    Args:
        gradients: What makes the passes.
        images: A batch.
        labels: Its labels.
    """
    clock, seconds = _clock(gradients.target.device), []
    for _ in range(1 + REPEATS):
        began = clock()
        gradients.at(images, labels)
        seconds.append(clock() - began)
    return len(images) / max(min(seconds[1:]), 1e-9)


@contextmanager
def uncounted(target: Target) -> Iterator[None]:
    """Passes made here are charged to nobody: whether there is a trial depends on what is remembered."""
    counter = target.counter
    kept = counter.forward, counter.backward
    try:
        yield
    finally:
        counter.forward, counter.backward = kept


def _clock(device: torch.device) -> Callable[[], float]:
    if device.type == "cpu":
        return time.process_time

    def now() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return now
