import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbench.datasets import TrainingPlan
from robbench.training.schedules import learning_rate


@given(st.sampled_from(["constant", "cosine", "cyclic"]), st.integers(1, 500), st.data())
def test_rates_are_positive_and_never_above_the_peak(schedule, iterations, data):
    plan = TrainingPlan(iterations, 1, learning_rate=0.3, schedule=schedule)
    step = data.draw(st.integers(0, iterations - 1))
    assert 0 < learning_rate(plan, step) <= 0.3 + 1e-12


def rates(schedule) -> list[float]:
    plan = TrainingPlan(100, 1, learning_rate=1.0, schedule=schedule)
    return [learning_rate(plan, step) for step in range(100)]


def test_shapes_of_the_schedules():
    assert rates("constant") == [1.0] * 100
    cosine = rates("cosine")
    assert cosine == sorted(cosine, reverse=True)
    assert cosine[0] == pytest.approx(1, abs=1e-3)
    assert cosine[49] + cosine[50] == pytest.approx(1)
    assert cosine[-1] == pytest.approx(0, abs=1e-3)
    cyclic = rates("cyclic")
    assert cyclic[:50] == pytest.approx([(step + 0.5) / 50 for step in range(50)])
    assert cyclic[50:] == pytest.approx(cyclic[:50][::-1])
