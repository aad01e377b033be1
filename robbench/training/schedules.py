"""Learning-rate schedules, each a function of the step alone."""

import math

from robbench.datasets import TrainingPlan


def learning_rate(plan: TrainingPlan, step: int) -> float:
    """The learning rate of one optimizer step.

    ``constant`` stays at the peak; ``cosine`` falls from it to 0 along half a wave (Loshchilov & Hutter 2017,
    arXiv:1608.03983); ``cyclic`` rises linearly from 0 to the peak in the first half and falls back (Smith
    2017, arXiv:1506.01186). No step, the first included, has the rate 0.

    Args:
        plan: The plan.
        step: Counted from 0, below ``plan.iterations``.
    """
    share = (step + 0.5) / plan.iterations
    if plan.schedule == "cosine":
        return plan.learning_rate * (1 + math.cos(math.pi * share)) / 2
    if plan.schedule == "cyclic":
        return plan.learning_rate * (1 - abs(2 * share - 1))
    return plan.learning_rate
