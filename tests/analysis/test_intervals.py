import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from robbench.analysis.intervals import wilson


@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_agrees_with_scipy_and_statsmodels(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = wilson(np.array(k), np.array(n))
    expected = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (low, high) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)


def test_agrees_on_whole_tables_at_another_confidence() -> None:
    random = np.random.default_rng(0)
    n = random.integers(1, 5000, (40, 9))
    k = random.binomial(n, random.random((40, 9)))
    expected_low, expected_high = proportion_confint(k, n, alpha=0.01, method="wilson")
    low, high = wilson(k, n, 0.99)
    np.testing.assert_allclose(low, np.clip(expected_low, 0, 1), atol=1e-12)
    np.testing.assert_allclose(high, np.clip(expected_high, 0, 1), atol=1e-12)


def test_the_ends_are_exact_where_all_or_none_survive() -> None:
    assert wilson(np.array(0), np.array(10)).low == 0
    assert wilson(np.array(0), np.array(10)).high > 0.2
    assert wilson(np.array(10), np.array(10)).high == 1
    assert wilson(np.array(10), np.array(10)).low < 0.8


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.985])
def test_covers_the_truth_about_95_times_in_100(share: float) -> None:
    """By simulation; for one n the coverage swings by about two points around what is aimed at."""
    draws = np.random.default_rng(1).binomial(360, share, 20_000)
    low, high = wilson(draws, np.array(360))
    assert np.mean((low <= share) & (share <= high)) == pytest.approx(0.95, abs=0.025)
