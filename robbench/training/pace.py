"""How many steps of a training fit into a time, measured by taking some."""

import time
from dataclasses import replace

from robbench.training.request import SettledTraining
from robbench.training.running import TrainingRun

WARM_UP_STEPS = 3
MEASURED_SHARE = 0.02
MOST_SECONDS = 3.0
"""What is timed takes that share of the budget, or so many seconds where the share is more."""


def fit_into(seconds: float, job: SettledTraining) -> SettledTraining:
    """The training with as many iterations as fit into some seconds on this machine.

    The steps that are measured are thrown away: the training begins from its start. The first few do not
    count, since libraries set themselves up in them. Then come rows of steps, each twice as long as the one
    before, until one took long enough to be timed.

    Args:
        seconds: The time that the training may take.
        job: The training.
    """
    run = TrainingRun(job)
    run.stretch(WARM_UP_STEPS)
    enough = min(MEASURED_SHARE * seconds, MOST_SECONDS)
    steps, spent = 1, _time(run, 1)
    while spent < enough:
        steps *= 2
        spent = _time(run, steps)
    iterations = max(1, round(seconds * steps / spent))
    return replace(job, plan=replace(job.plan, iterations=iterations))


def _time(run: TrainingRun, steps: int) -> float:
    began = time.monotonic()
    run.stretch(steps)
    return time.monotonic() - began
