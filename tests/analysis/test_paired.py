import numpy as np
import pytest
import statsmodels.stats.proportion as proportion
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from robbench.analysis.paired import PairedCounts, holm, mcnemar, newcombe, paired_counts

CELLS = st.tuples(*[st.integers(0, 400)] * 4).filter(any)


def counts(*tables: tuple[int, ...]) -> PairedCounts:
    """Cells in the order of papers: both, only the first, only the second, neither."""
    return PairedCounts(*np.array(tables).T)


# The first is example (a) of Newcombe 1998, the others are Altman et al. 2000, Table 6.2, and Bentur 2009 as
# in Fagerland et al. 2014: all state the first share minus the second, so the tables are turned here.
@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 2, 12, 0), 0.0569, 0.3404),
        ((14, 0, 5, 22), 0.0115, 0.2265),
        ((1, 7, 1, 12), -0.507, -0.026),
    ],
)
def test_the_interval_of_published_examples(cells: tuple[int, ...], low: float, high: float) -> None:
    digits = 3 if abs(low) > 0.5 else 4
    interval = newcombe(counts(cells))
    assert interval.low[0] == pytest.approx(low, abs=0.5 * 10**-digits)
    assert interval.high[0] == pytest.approx(high, abs=0.5 * 10**-digits)


@pytest.mark.skipif(
    not hasattr(proportion, "confint_proportions_paired"), reason="needs a statsmodels newer than 0.15"
)
@given(CELLS)
def test_the_interval_agrees_with_statsmodels(cells: tuple[int, int, int, int]) -> None:
    both, first, second, neither = cells
    paired = proportion.confint_proportions_paired  # pyright: ignore[reportAttributeAccessIssue]
    expected = paired([[both, second], [first, neither]], method="newcomb")
    interval = newcombe(counts(cells))
    assert (interval.low[0], interval.high[0]) == pytest.approx(tuple(expected), abs=1e-9)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.booleans())
def test_with_an_empty_margin_it_is_statsmodels_interval_of_independent_shares(
    shares: tuple[int, int], all_survive: bool
) -> None:
    # No correlation can be seen then, and method 10 is Newcombe's hybrid score interval.
    k, n = shares
    cells = (k, n - k, 0, 0) if all_survive else (0, 0, k, n - k)
    interval = newcombe(counts(cells))
    first = n if all_survive else 0
    expected = proportion.confint_proportions_2indep(k, n, first, n, method="newcomb", compare="diff")
    assert (interval.low[0], interval.high[0]) == pytest.approx(expected, abs=1e-9)


@given(CELLS)
def test_the_interval_holds_the_difference_and_turns_with_the_table(cells: tuple[int, ...]) -> None:
    both, first, second, neither = cells
    low, high = newcombe(counts(cells))
    difference = (second - first) / sum(cells)
    assert -1 <= low[0] <= difference + 1e-12
    assert difference - 1e-12 <= high[0] <= 1
    turned = newcombe(counts((both, second, first, neither)))
    assert (turned.low[0], turned.high[0]) == pytest.approx((-high[0], -low[0]), abs=1e-12)


@given(st.lists(CELLS, min_size=1, max_size=8))
def test_the_test_agrees_with_statsmodels(tables: list[tuple[int, ...]]) -> None:
    for (both, first, second, neither), p in zip(tables, mcnemar(counts(*tables)), strict=True):
        expected = vars(statsmodels_mcnemar([[both, first], [second, neither]], exact=True))["pvalue"]
        assert p == pytest.approx(1.0 if first + second == 0 else expected, rel=1e-9, abs=1e-300)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_the_correction_agrees_with_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(np.array(p_values)).tolist() == pytest.approx(np.asarray(expected).tolist(), rel=1e-12)


def test_pairs_are_counted_sample_by_sample() -> None:
    first = np.array([[1, 1], [1, 0], [0, 0], [0, 1], [1, 1]], dtype=bool)
    second = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], dtype=bool)
    found = paired_counts(first, second)
    assert [cell.tolist() for cell in found] == [[2, 1], [1, 2], [1, 1], [1, 1]]


SETTINGS = [
    # both, only the first, only the second, neither
    (0.60, 0.05, 0.10, 0.25),
    (0.20, 0.30, 0.05, 0.45),
    (0.93, 0.02, 0.03, 0.02),
    (0.02, 0.01, 0.05, 0.92),
    (0.25, 0.25, 0.25, 0.25),
]


@pytest.mark.parametrize("shares", SETTINGS)
@pytest.mark.parametrize("n", [60, 360])
def test_covers_the_true_difference_about_95_times_in_100(shares: tuple[float, ...], n: int) -> None:
    """Where only a pair or two differ it covers more, as it must: the counts leave gaps."""
    draws = np.random.default_rng(5).multinomial(n, shares, 20_000)
    low, high = newcombe(counts(*draws))
    covered = np.mean((low <= shares[2] - shares[1]) & (shares[2] - shares[1] <= high))
    few = n * (shares[1] + shares[2]) < 20
    assert 0.94 <= covered <= (0.995 if few else 0.97)


@pytest.mark.parametrize("discordant", [0.02, 0.1, 0.4])
def test_equal_defenses_are_called_different_at_most_5_times_in_100(discordant: float) -> None:
    shares = (0.5, discordant / 2, discordant / 2, 0.5 - discordant)
    draws = np.random.default_rng(6).multinomial(200, shares, 4000)
    assert np.mean(mcnemar(counts(*draws)) < 0.05) <= 0.05


@settings(max_examples=20, deadline=None)
@given(CELLS)
def test_order_of_a_table_does_not_matter_to_the_test(cells: tuple[int, ...]) -> None:
    both, first, second, neither = cells
    assert mcnemar(counts(cells))[0] == pytest.approx(mcnemar(counts((both, second, first, neither)))[0])
