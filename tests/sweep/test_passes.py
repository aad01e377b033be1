from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from robbench.attacks import BudgetAttack
from robbench.attacks.gradient import PGD
from robbench.classifier import CountedModel, PassCounter, frozen
from robbench.sweep.passes import PartedModel, PassSize, filled_size
from tests.oracles import SmoothNet, linear_oracle
from tests.sweep.sweeping import sweep


class Asked(nn.Module):
    """Notes for how many images it is asked, with a gradient or without; beyond a limit memory runs out."""

    def __init__(self, model, limit=10**9, limits="clean gradient backward", error="pretended"):
        super().__init__()
        self.model, self.limit, self.limits = model, limit, limits
        self.error = error
        self.clean, self.gradient, self.backward = [], [], []

    def forward(self, images):
        needs_gradient = torch.is_grad_enabled() and images.requires_grad
        self._pass("gradient" if needs_gradient else "clean", len(images))
        logits = self.model(images)
        if needs_gradient:
            logits.register_hook(lambda gradient: self._pass("backward", len(gradient)))
        return logits

    def _pass(self, kind, count):
        getattr(self, kind).append(count)
        if count > self.limit and kind in self.limits:
            # A new one each time: torch 2.11 goes on raising one that it has met in a backward pass.
            kind = torch.OutOfMemoryError if self.error == "pretended" else RuntimeError
            raise kind(self.error)


def parted(largest, **limits):
    model, counter = Asked(SmoothNet(), **limits), PassCounter()
    size = PassSize(largest)
    return model, CountedModel(PartedModel(model, size), counter), size, counter


def input_gradient(model, images):
    images = images.clone().requires_grad_()
    logits = model(images)
    (gradient,) = torch.autograd.grad(logits.logsumexp(1).sum(), images)
    return logits.detach(), gradient


class Reusing(nn.Module):
    """Writes every answer into the same memory, as engines that serve models do."""

    def __init__(self):
        super().__init__()
        self.model, self.answer = SmoothNet(), torch.empty(10, 5)

    def forward(self, images):
        return self.answer[: len(images)].copy_(self.model(images).detach())


def test_the_next_part_does_not_overwrite_an_answer():
    model, images = Reusing(), linear_oracle(count=10)[1]
    with frozen(model), torch.no_grad():
        assert torch.allclose(PartedModel(model, PassSize(5))(images), model(images))


def test_a_pass_holds_no_more_and_counts_the_same():
    model, counted, _, counter = parted(largest=4)
    images = linear_oracle(count=10)[1]
    with frozen(counted), torch.no_grad():
        assert torch.allclose(counted(images), model.model(images))
    assert model.clean == [4, 4, 2]
    assert (counter.forward, counter.backward) == (10, 0)


def test_passes_are_filled_up_to_few_sizes():
    sizes = {samples: filled_size(samples) for samples in range(1, 1025)}
    assert all(samples <= size <= 1.125 * samples for samples, size in sizes.items())
    assert len(set(sizes.values())) == 16 + 8 * 6
    assert all(sizes[size] == size for size in sizes.values()), "a size is filled up to itself"


@pytest.mark.parametrize(("count", "largest", "asked"), [(33, 64, [36]), (33, 34, [34]), (100, 64, [64, 36])])
def test_what_fills_a_pass_up_changes_nothing(count, largest, asked):
    model, counted, size, counter = parted(largest=largest)
    size.fills = True
    images = linear_oracle(count=count)[1]
    with frozen(counted):
        with torch.no_grad():
            assert torch.allclose(counted(images), model.model(images))
        assert model.clean == asked
        assert counter.forward == count
        for found, expected in zip(
            input_gradient(counted, images), input_gradient(model.model, images), strict=True
        ):
            assert torch.allclose(found, expected)


def test_a_filled_pass_keeps_the_layout_of_its_images():
    seen = []
    images = torch.rand(33, 1, 4, 4).to(memory_format=torch.channels_last)
    PartedModel(Seeing(seen), PassSize(64, fills=True))(images)
    assert [given.stride() for given in seen] == [(16, 1, 4, 1)]


class Seeing(nn.Module):
    """Keeps what it is given."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def forward(self, images):
        self.seen.append(images)
        return images.flatten(1)


def test_a_filled_sweep_finds_the_same_and_charges_the_same():
    model, images, labels = linear_oracle(count=100)
    plain, filled = (sweep(model, images, labels, PGD(steps=10), fills=fills) for fills in (False, True))
    assert (plain.broken == filled.broken).all()
    assert (plain.n_forward == filled.n_forward).all()
    assert filled.n_forward.sum() == filled.target.counter.forward


def test_gradients_are_computed_a_part_at_a_time_and_only_as_their_turn_comes():
    model, counted, _, counter = parted(largest=4)
    images = linear_oracle(count=10)[1]
    with frozen(counted):
        input_gradient(counted, images[:1])  # once, it is asked whether a gradient gets through
        model.gradient.clear()
        model.backward.clear()
        counter.forward = counter.backward = 0
        logits, gradient = input_gradient(counted, images)
        assert sorted(model.gradient) == [2, 2, 4, 4, 4, 4]  # each part once more in the backward pass
        assert sorted(model.backward) == [2, 4, 4]
        assert (counter.forward, counter.backward) == (10, 10)
        for found, expected in zip((logits, gradient), input_gradient(model.model, images), strict=True):
            assert torch.allclose(found, expected)


def test_what_fits_into_one_pass_is_computed_once():
    model, counted, *_ = parted(largest=10)
    with frozen(counted):
        input_gradient(counted, linear_oracle(count=10)[1])
    assert model.gradient == [10]


def test_several_gradients_of_one_graph_are_right():
    model, counted, *_ = parted(largest=4)
    images = linear_oracle(count=10)[1]

    def jacobian(of):
        points = images.clone().requires_grad_()
        columns = of(points).sum(0)
        return [torch.autograd.grad(column, points, retain_graph=True)[0] for column in columns]

    with frozen(counted):
        for found, expected in zip(jacobian(counted), jacobian(model.model), strict=True):
            assert torch.allclose(found, expected)


def test_memory_running_out_halves_the_pass_for_good():
    model, counted, size, _ = parted(largest=16, limit=5)
    images = linear_oracle(count=20)[1]
    with frozen(counted), torch.no_grad():
        counted(images)
        assert model.clean == [16, 8, 4, 4, 4, 4, 4]
        counted(images)
    assert model.clean[7:] == [4] * 5
    assert size.largest == 4


@pytest.mark.parametrize(
    "said",
    [
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: out of memory",
        "GET was unable to find an engine to execute this computation",
    ],
)
def test_memory_runs_out_whoever_says_so(said):
    model, counted, size, _ = parted(largest=16, limit=3, error=said)
    with frozen(counted), torch.no_grad():
        counted(linear_oracle(count=5)[1])
    # What was to be computed did not fit, and half of what a pass may hold would be all of it again.
    assert (model.clean, size.largest) == ([5, 3, 2], 3)


def test_another_error_is_no_lack_of_memory():
    model, counted, *_ = parted(largest=16, limit=3, error="shapes do not fit")
    with frozen(counted), torch.no_grad(), pytest.raises(RuntimeError, match="do not fit"):
        counted(linear_oracle(count=5)[1])
    assert model.clean == [5]


def test_one_sample_that_does_not_fit_is_an_error():
    _, counted, *_ = parted(largest=8, limit=0)
    with frozen(counted), torch.no_grad(), pytest.raises(torch.OutOfMemoryError, match="pretended"):
        counted(linear_oracle(count=3)[1])


@dataclass(frozen=True)
class RandomStep(BudgetAttack):
    """A random point, from torch's global generator, and from there a step along the gradient's signs."""

    algorithm, backend, paper = "random", "art", ""
    per_sample_epsilon = True

    def perturb(self, problem):
        size = problem.ball.epsilon.view(-1, 1, 1, 1) / 2
        points = (problem.ball.centers.add_(size * (2 * torch.rand(1) - 1))).requires_grad_()
        loss = cross_entropy(problem.model(points), problem.labels, reduction="sum")
        return points + size * torch.autograd.grad(loss, points)[0].sign()


def same_rows(found, expected):
    columns = ("broken", "distance", "n_forward", "n_backward")
    return all((getattr(found, column) == getattr(expected, column)).all() for column in columns)


@pytest.mark.parametrize("limits", ["clean gradient backward", "clean", "gradient", "backward"])
@pytest.mark.parametrize("attack", [PGD(steps=5), RandomStep()], ids=str)
def test_memory_running_out_anywhere_changes_no_row(attack, limits):
    model, images, labels = linear_oracle(count=60)
    asked = Asked(model, 9, limits)
    found = sweep(asked, images, labels, attack)
    assert found.target.size.largest <= 9
    assert same_rows(found, sweep(model, images, labels, attack))


@pytest.mark.parametrize("attack", [PGD(steps=5), RandomStep()], ids=str)
def test_the_batch_size_bounds_every_pass_and_changes_no_row(attack):
    model, images, labels = linear_oracle(count=60)
    asked = Asked(model)
    found = sweep(asked, images, labels, attack, batch_size=7)
    assert max(asked.clean) == max(asked.gradient) == 7
    assert same_rows(found, sweep(model, images, labels, attack))
