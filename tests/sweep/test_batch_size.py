import time

import pytest
import torch

from robbench.attacks.gradient import PGD
from robbench.datasets.custom import from_arrays
from robbench.sweep import batch_size
from robbench.sweep.batch_size import fastest_batch, remembered_batch
from robbench.sweep.gradients import Gradients
from robbench.sweep.passes import PassSize
from robbench.sweep.target import View, make_target
from robbench.threat import get_norm
from tests.oracles import linear_oracle


@pytest.fixture
def clocked(monkeypatch):
    """A model whose passes take as long, by the clock, as it is told for a batch of their size."""
    model, images, labels = linear_oracle(count=256)
    target = make_target(
        model, View(model, True), "top1", get_norm("linf"), 2, torch.device("cpu"), PassSize(256)
    )
    seconds, now = {}, [0.0]

    class Timed(Gradients):
        def at(self, images, labels):
            now[0] += seconds[len(images)]
            return super().at(images, labels)

    monkeypatch.setattr(time, "process_time", lambda: now[0])
    return Timed(PGD(steps=200), target, "float32"), from_arrays(images, labels), seconds


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({32: 1, 64: 1, 128: 1, 256: 1}, 256),
        ({32: 1, 64: 2.1, 128: 1, 256: 1}, 32),
        ({32: 1, 64: 1.5, 128: 3.1, 256: 1}, 64),
    ],
)
def test_the_batch_is_doubled_for_as_long_as_that_pays(clocked, seconds, expected):
    gradients, dataset, told = clocked
    told.update(seconds)
    assert fastest_batch(gradients, dataset) == expected
    assert remembered_batch(gradients.target.view.model.model, "float32") == expected
    told.clear()  # another trial would fail
    assert fastest_batch(gradients, dataset) == expected
    counter = gradients.target.counter
    assert (counter.forward, counter.backward) == (0, 0)


def test_a_short_job_tries_nothing(clocked, monkeypatch):
    gradients, dataset, _ = clocked
    assert fastest_batch(gradients, dataset.first(255)) == 256
    assert remembered_batch(gradients.target.view.model.model, "float32") is None
    monkeypatch.setattr(batch_size, "PAYS_FROM", 0)
    with pytest.raises(KeyError):
        fastest_batch(gradients, dataset)
