from dataclasses import replace

import pytest
import torch
from torch import nn

from robbench.bench.engines import LibraryEngine, RobbenchEngine
from robbench.bench.limit import BareNetwork
from robbench.bench.loops import LOOPS
from tests.bench.oracle_bench import COUNT, STEPS, exact_accuracy, oracle_bench
from tests.oracles import linear_oracle

SPENT = {"torchattacks": (STEPS + 1, STEPS), "foolbox": (STEPS + 1, STEPS), "art": (STEPS + 3, STEPS)}
"""Forward and backward passes per sample and ε, the scoring included."""


def _library(bench, library, measured=None, batch_size=16):
    workplace = replace(bench.workplace, batch_size=batch_size)
    points = bench.epsilons[1:] if measured is None else measured
    return LibraryEngine(library, bench.model("line"), workplace, bench.pgd, bench.epsilons, points, 0)


@pytest.mark.parametrize("library", LOOPS)
def test_a_library_spends_what_its_source_says(library):
    bench = oracle_bench()
    sweep = _library(bench, library).sweep()
    attacked = COUNT * (len(bench.epsilons) - 1)
    forward, backward = SPENT[library]
    assert sweep.passes.forward == COUNT + attacked * forward
    assert sweep.passes.backward == attacked * backward


@pytest.mark.parametrize("batch_size", [7, 64])
@pytest.mark.parametrize("library", LOOPS)
def test_every_library_finds_the_exact_curve_of_a_linear_model(library, batch_size):
    bench = oracle_bench()
    expected = exact_accuracy(bench.epsilons)
    assert 0 < expected[bench.epsilons[-1]] < 0.5
    assert _library(bench, library, batch_size=batch_size).sweep().accuracy == pytest.approx(expected)


@pytest.mark.parametrize("strategy", ["auto", "search", "survivors", "independent"])
def test_robbench_finds_the_exact_curve_of_a_linear_model(strategy):
    bench = oracle_bench()
    sweep = RobbenchEngine(bench.run_of("line", strategy)).sweep()
    assert sweep.accuracy == pytest.approx(exact_accuracy(bench.epsilons))
    assert sweep.label.startswith(f"robbench {strategy}")


@pytest.mark.parametrize("library", LOOPS)
def test_fewer_points_are_scaled_to_the_whole_grid(library):
    bench = oracle_bench()
    whole, part = _library(bench, library).sweep(), _library(bench, library, bench.epsilons[2::4]).sweep()
    assert part.passes == whole.passes
    assert set(part.accuracy) == {0.0, *bench.epsilons[2::4]}
    assert part.accuracy.items() <= whole.accuracy.items()


class _Watched(nn.Module):
    """A linear model that notes whether its weights were frozen in training passes."""

    def __init__(self):
        super().__init__()
        self.model = linear_oracle(count=COUNT)[0]
        self.seen = set()

    def forward(self, images):
        if torch.is_grad_enabled() and images.requires_grad:
            self.seen.add((self.model.layer.weight.requires_grad, self.training))
        return self.model(images)


@pytest.mark.parametrize("library", LOOPS)
def test_libraries_meet_the_weights_as_users_load_them_and_leave_no_trace(library):
    watched = _Watched().eval()
    watched.model.layer.bias.requires_grad_(False)
    bench = oracle_bench(watched)
    watched.seen.clear()  # it was checked first, frozen
    before, state = torch.random.get_rng_state(), {k: v.clone() for k, v in watched.state_dict().items()}
    _library(bench, library).sweep()
    assert watched.seen == {(True, False)}
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(value, state[key]) for key, value in watched.state_dict().items())
    assert watched.model.layer.weight.grad is None
    assert not watched.model.layer.bias.requires_grad
    assert not watched.training


class _Counting(nn.Module):
    """A linear model whose weights the user froze, with a parameter that is a whole number."""

    def __init__(self):
        super().__init__()
        self.model = linear_oracle(count=COUNT)[0]
        self.model.layer.weight.requires_grad_(False)
        self.calls = nn.Parameter(torch.tensor(3), requires_grad=False)
        self.seen = set()

    def forward(self, images):
        self.seen |= {weight.requires_grad for weight in self.model.parameters()}
        return self.model(images)


@pytest.mark.parametrize("library", LOOPS)
def test_weights_that_the_user_froze_stay_frozen(library):
    model = _Counting()
    model.model.layer.bias.requires_grad_(False)
    assert _library(oracle_bench(model), library).sweep().passes.backward > 0
    assert model.seen == {False}


@pytest.mark.parametrize("library", LOOPS)
def test_a_repeated_sweep_finds_and_costs_the_same(library):
    engine = _library(oracle_bench(), library)
    first, second = engine.sweep(), engine.sweep()
    assert (first.passes, first.accuracy) == (second.passes, second.accuracy)


def test_robbench_is_charged_for_every_pass():
    counted = []
    model = linear_oracle(count=COUNT)[0]
    model.register_forward_hook(lambda _, inputs, __: counted.append(len(inputs[0])))
    prepared = oracle_bench(model).run_of("line", "search")
    counted.clear()
    charged = RobbenchEngine(prepared).sweep().passes.forward
    tried = [2, 2, 2, 2]  # layouts and randomness, on two images each, which nobody is charged for
    assert counted[:4] == tried
    assert charged == sum(counted) - sum(tried)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_bare_network_is_measured_and_left_as_it_was(precision):
    bench = oracle_bench()
    model = bench.model("line")
    limit = BareNetwork(model, bench.workplace.dataset, torch.device("cpu"), precision).best()
    assert limit.passes_per_second > 0
    assert 16 <= limit.batch_size <= 4096
    assert all(weight.requires_grad for weight in model.parameters())
