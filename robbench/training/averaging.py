"""The moving average of a model's weights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

State = dict[str, Tensor]


class WeightAverage:
    """An exponential moving average of a model's state, batch-normalization statistics included.

    After step t the average moves by 1 − d towards the model, d being the smaller of the decay and
    (1 + t)/(10 + t): the average would otherwise keep the random start for long. That warm-up is TensorFlow's
    (``ExponentialMovingAverage``); in adversarial training such averages go back to Gowal et al. 2020,
    arXiv:2010.03593.

    Args:
        model: The model whose weights are averaged; looked at, never changed, but within :meth:`applied`.
        decay: d, from 0, which makes the average the model itself, to below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model = model
        self._decay = decay
        self._average: State = _copy(model.state_dict()) if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step.

        Args:
            step: Steps done, at least 1.
        """
        if not self._decay:
            return
        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        for name, tensor in self._model.state_dict().items():
            # Counters of batches are whole numbers, which have no average.
            if tensor.is_floating_point():
                self._average[name].lerp_(tensor, weight)
            else:
                self._average[name].copy_(tensor)

    def state(self) -> State:
        """What the training stores at its end: the average, or the weights as they are without one."""
        return self._average if self._decay else self._model.state_dict()

    def checkpoint(self) -> State:
        """What a checkpoint needs; empty without an average."""
        return self._average

    def restore(self, saved: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`checkpoint` gave."""
        for name, tensor in self._average.items():
            tensor.copy_(saved[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the model compute with the average; on leaving, with its own weights again."""
        if not self._decay:
            yield
            return
        own = _copy(self._model.state_dict())
        self._model.load_state_dict(self._average)
        try:
            yield
        finally:
            self._model.load_state_dict(own)


def _copy(state: Mapping[str, Tensor]) -> State:
    return {name: tensor.detach().clone() for name, tensor in state.items()}
