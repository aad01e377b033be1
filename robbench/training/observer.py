"""What a training tells whoever watches it."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class TrainingObserver(Protocol):
    """Told how a training goes, about twice a second and never more often than once a step."""

    def on_start(self, step: int, total: int) -> None:
        """The training begins at a step, which is above 0 where it goes on with an interrupted one."""
        ...

    def on_progress(self, step: int, total: int, loss: float, accuracy: float) -> None:
        """Some steps are done.

        Args:
            step: Steps done so far.
            total: Steps in all.
            loss: The mean objective since the last report.
            accuracy: The share of training images classified right since then, perturbed as they were.
        """
        ...

    def on_notice(self, text: str) -> None:
        """Something that a person should read, such as that the model is there already."""
        ...


class SilentTraining:
    """An observer that says nothing."""

    def on_start(self, step: int, total: int) -> None:
        """Says nothing."""

    def on_progress(self, step: int, total: int, loss: float, accuracy: float) -> None:
        """Says nothing."""

    def on_notice(self, text: str) -> None:
        """Says nothing."""
