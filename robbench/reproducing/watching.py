"""Who is told how a reproduction goes: the terminal, or nobody."""

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from robbench.executors.contract import RunObserver
from robbench.training.observer import TrainingObserver


@runtime_checkable
class Watcher(Protocol):
    """Someone who watches; the terminal is one."""

    def say(self, text: str) -> None:
        """One message."""
        ...

    def run_progress(self, jobs: int) -> AbstractContextManager[RunObserver]:
        """The observer of a run of some jobs."""
        ...

    def training_progress(self, title: str) -> AbstractContextManager[TrainingObserver]:
        """The observer of a training."""
        ...
