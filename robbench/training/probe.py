"""Watching a network while it trains: its passes, its loss, its training accuracy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from robbench.classifier import PassCounter
from robbench.tensors import Labels


class Progress(NamedTuple):
    """Means since the last look."""

    loss: float
    accuracy: float


class Probe:
    """Counts passes through a network, and adds up loss and accuracy on its device, without waiting for it.

    Args:
        network: The network that is trained; watched until :meth:`close`.
        counter: Where its passes are counted.
        device: The network's device.
    """

    def __init__(self, network: nn.Module, counter: PassCounter, device: torch.device) -> None:
        self._counter = counter
        self._logits: Tensor | None = None
        self._sums = torch.zeros(2, dtype=torch.float64, device=device)
        self._steps = 0
        self._paused = False
        self._hook = network.register_forward_hook(self._watch)

    def add(self, loss: Tensor, labels: Labels) -> None:
        """Add a step: its loss, and whether the images last sent forward were classified right.

        An objective may send its batch forward in several versions at once, one behind the other.
        """
        if self._logits is not None:
            versions = len(self._logits) // len(labels)
            correct = (self._logits.argmax(1) == labels.repeat(versions)).double().mean()
            self._sums += torch.stack((loss.detach().double(), correct))
            self._steps += 1

    def take(self) -> Progress:
        """The means over the steps added since the last call; waits for the device."""
        loss, accuracy = (self._sums / max(self._steps, 1)).tolist()
        self._sums.zero_()
        self._steps = 0
        return Progress(loss, accuracy)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count and look at nothing."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def close(self) -> None:
        """Stop watching."""
        self._hook.remove()

    def _watch(self, module: nn.Module, inputs: Any, logits: Tensor) -> None:
        if self._paused:
            return
        self._counter.forward += len(logits)
        self._logits = logits.detach()
        if logits.requires_grad:
            logits.register_hook(self._count_backward)

    def _count_backward(self, gradient: Tensor) -> None:
        self._counter.backward += len(gradient)
