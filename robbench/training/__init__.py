"""Training: from a request to a model on disk; killed at any moment, it goes on."""

from robbench.training.budget import Budget, parse_budget
from robbench.training.loop import train
from robbench.training.observer import SilentTraining, TrainingObserver
from robbench.training.request import TrainingRequest
from robbench.training.restarting import restart_together

__all__ = [
    "Budget",
    "SilentTraining",
    "TrainingObserver",
    "TrainingRequest",
    "parse_budget",
    "restart_together",
    "train",
]
