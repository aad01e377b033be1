import pytest

from robbench.bench.passes import Passes, single_epsilon_run


def test_a_forward_pass_alone_costs_a_third():
    assert Passes(10, 10).cost == 10
    assert Passes(13, 10).cost == pytest.approx(11)
    assert Passes(3, 0).cost == pytest.approx(1)


def test_a_single_run_tests_its_last_image():
    single = single_epsilon_run(correct=7, steps=100)
    assert (single.forward, single.backward) == (707, 700)
    assert single.cost == pytest.approx(7 * (100 + 1 / 3))


def test_passes_add_up():
    assert Passes(3, 2) + Passes(4, 1) - Passes(1, 1) == Passes(6, 2)
    assert Passes(3, 2).times(4) == Passes(12, 8)
