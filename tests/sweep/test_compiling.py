"""Compiled passes: taken where they are sound and pay, and never what decides."""

import shutil
import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from robbench.attacks.gradient import PGD
from robbench.attacks.noise import Noise
from robbench.classifier import frozen
from robbench.datasets.custom import from_arrays
from robbench.sweep import compiling
from robbench.sweep.compiling import Program, compiled_if_sound, compiled_models, long_enough
from robbench.sweep.gradients import COMPILED_FROM, Gradients
from robbench.sweep.passes import PassSize
from robbench.sweep.target import View, make_target
from robbench.threat import get_norm
from tests.oracles import linear_oracle
from tests.pretended_gpu import pretended_gpu

COUNT = 256


@pytest.fixture(autouse=True)
def eagerly(monkeypatch):
    """Programs as torch traces them, without what makes them fast: that takes a minute."""
    monkeypatch.setattr(compiling, "BACKEND", "eager")


@pytest.fixture
def dataset():
    _, images, labels = linear_oracle(count=COUNT)
    return from_arrays(images, labels)


def gradients_of(model: nn.Module, view: nn.Module | None = None, steps: int = 200) -> Gradients:
    differentiated, cpu = View(view or model, view is None), torch.device("cpu")
    target = make_target(model, differentiated, "top1", get_norm("linf"), 2, cpu, PassSize(64))
    return Gradients(PGD(steps=steps), target, "float32")


def linear(scale: float = 1.0) -> nn.Module:
    model = linear_oracle(count=COUNT)[0]
    model.layer.weight.data.mul_(scale)
    return model


class Slow(nn.Module):
    """As slow as it is told, by the clock of the processor."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        super().__init__()
        self.model, self.clock, self.seconds = linear(), clock, seconds

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.clock[0] += self.seconds * len(images)
        return self.model(images)


@pytest.mark.parametrize(("seconds", "is_long"), [(0.005, False), (0.05, True)])
def test_a_few_passes_tell_whether_a_job_is_long(dataset, monkeypatch, seconds, is_long):
    now = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])
    gradients = gradients_of(Slow(now, seconds))
    assert long_enough(gradients, dataset) is is_long
    assert long_enough(gradients_of(Slow(now, seconds), steps=10), dataset) is False
    assert long_enough(replace(gradients, attack=Noise(steps=200)), dataset) is False
    assert (gradients.target.counter.forward, gradients.target.counter.backward) == (0, 0)
    monkeypatch.setenv("TORCH_COMPILE_DISABLE", "1")
    assert long_enough(gradients, dataset) is False


@pytest.mark.parametrize(("device", "tried"), [("cpu", 32), ("cuda", 64)])
def test_a_gpu_is_tried_with_a_whole_pass_and_a_cpu_with_a_few_images(dataset, monkeypatch, device, tried):
    asked = []
    monkeypatch.setattr(compiling, "passes_per_second", lambda _, images, __: asked.append(len(images)) or 1)
    gradients = gradients_of(linear())
    with pretended_gpu():
        on_device = replace(gradients.target, device=torch.device(device))
        assert long_enough(replace(gradients, target=on_device), dataset)
    assert asked == [tried]


@pytest.mark.parametrize("with_view", [False, True])
def test_programs_compute_the_same_and_count_their_passes(dataset, with_view):
    model = linear()
    gradients = gradients_of(model, nn.Sequential(model) if with_view else None)
    with frozen(model):
        models = compiled_if_sound(gradients, dataset, must_be_faster=False)
        assert models is not None
        assert (models.view is models.exact) is not with_view
        samples = dataset.samples(torch.arange(20))
        program = Gradients(gradients.attack, gradients.target, "float32", models)
        counter = gradients.target.counter
        assert (counter.forward, counter.backward) == (0, 0)
        for found, expected in zip(program.at(*samples[:2]), gradients.at(*samples[:2]), strict=True):
            torch.testing.assert_close(found, expected)
    assert (counter.forward, counter.backward) == ((80, 40) if with_view else (40, 40))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_program_that_computes_something_else_is_let_go(dataset, monkeypatch, precision):
    gradients, off = (replace(gradients_of(linear(scale)), precision=precision) for scale in (1.0, 1.1))
    monkeypatch.setattr(compiling, "compiled_models", lambda _: compiled_models(off))
    assert compiled_if_sound(gradients, dataset, must_be_faster=False) is None


def test_a_program_that_fails_is_let_go(dataset, monkeypatch):
    monkeypatch.setattr(compiling, "BACKEND", "none of this name")
    assert compiled_if_sound(gradients_of(linear()), dataset, must_be_faster=False) is None


@pytest.mark.parametrize(("rates", "taken"), [((111.0, 100.0), True), ((109.0, 100.0), False)])
def test_a_program_that_is_hardly_faster_is_let_go(dataset, monkeypatch, rates, taken):
    measured = iter(rates)
    monkeypatch.setattr(compiling, "passes_per_second", lambda *_: next(measured))
    assert (compiled_if_sound(gradients_of(linear()), dataset) is not None) is taken


def test_a_handful_of_samples_is_computed_as_it_is(dataset):
    def fail(*_: object) -> None:
        raise AssertionError("the program was asked")

    gradients = gradients_of(linear())
    models = compiled_models(gradients)
    program = Gradients(gradients.attack, gradients.target, "float32", models)
    models.view.forward = fail
    few = dataset.samples(torch.arange(COMPILED_FROM - 1))
    program.at(few.images, few.labels)
    enough = dataset.samples(torch.arange(COMPILED_FROM))
    with pytest.raises(AssertionError, match="was asked"):
        program.at(enough.images, enough.labels)


def test_a_program_is_compiled_where_what_others_compiled_runs_as_it_was_written(monkeypatch):
    made = []

    def backend(graph, _):
        made.append("a program")
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", backend)
    model, images, _ = linear_oracle(count=20)
    with torch.compiler.set_stance("force_eager"):
        torch.testing.assert_close(Program(model)(images), torch.compile(model, backend=backend)(images))
    assert made == ["a program"]


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler, as torch.compile does")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_program_of_torchs_own_compiler_is_sound(dataset, monkeypatch, precision):
    monkeypatch.setattr(compiling, "BACKEND", "inductor")
    convolution = nn.Conv2d(1, 4, 3, padding=1)
    model = nn.Sequential(convolution, nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)).eval()
    with frozen(model):
        gradients = replace(gradients_of(model), precision=precision)
        assert compiled_if_sound(gradients, dataset, must_be_faster=False) is not None
