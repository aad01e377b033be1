"""How many steps of a training fit into a time, measured by taking some."""

import time
from dataclasses import replace

from robbench.training.request import SettledTraining
from robbench.training.running import TrainingRun

WARM_UP_STEPS = 3
MEASURED_STEPS = 10
MEASURED_SHARE = 0.05
MOST_SECONDS = 5.0
"""At least so many steps are measured, for a share of the budget, which is cut off at so many seconds."""


def fit_into(seconds: float, job: SettledTraining) -> SettledTraining:
    """The training with as many iterations as fit into some seconds on this machine.

    The steps that are measured are thrown away: the training begins from its start. The first few do not
    count, since libraries set themselves up in them.

    Args:
        seconds: The time that the training may take.
        job: The training.
    """
    run = TrainingRun(job)
    run.stretch(WARM_UP_STEPS)
    steps, spent = 0, 0.0
    enough = min(MEASURED_SHARE * seconds, MOST_SECONDS)
    while steps < MEASURED_STEPS or spent < enough:
        began = time.monotonic()
        run.stretch(MEASURED_STEPS)
        spent += time.monotonic() - began
        steps += MEASURED_STEPS
    iterations = max(1, round(seconds * steps / spent))
    return replace(job, plan=replace(job.plan, iterations=iterations))
