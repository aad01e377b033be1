"""Training: from a request to a model on disk; killed at any moment, it goes on."""

from robbench.training.loop import train
from robbench.training.observer import SilentTraining, TrainingObserver
from robbench.training.request import TrainingRequest

__all__ = ["SilentTraining", "TrainingObserver", "TrainingRequest", "train"]
