import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from robbench.analysis.comparison import Pair, area, compare_with
from robbench.analysis.paired import holm
from robbench.analysis.survival import Survival
from robbench.analysis.verdicts import verdict
from robbench.epsilon import EpsilonUnit

GRID = (0.0, 0.1, 0.2)
TWO = (("pgd20", 0.95), ("noise", 0.6))


def survival(survived: np.ndarray, job: str, attack: str = "pgd20") -> Survival:
    samples = pd.MultiIndex.from_arrays([[f"{i:04x}" for i in range(len(survived))]])
    return Survival(attack, (job,), samples, GRID, survived)


def paired(tables: dict[str, dict[str, Survival]]) -> dict[str, list[Pair]]:
    """The first of some defenses against each of the others, under all attacks."""
    (_, baseline), *others = tables.items()
    return {name: [(baseline[attack], attacks[attack]) for attack in attacks] for name, attacks in others}


def test_a_table_worked_by_hand() -> None:
    first = np.array([[1, 1, 1]] * 6 + [[1, 0, 0]] * 4, dtype=bool)
    second = np.array([[1, 1, 0]] * 6 + [[0, 1, 0]] * 4, dtype=bool)
    found = compare_with({"b": [(survival(first, "1"), survival(second, "2"))]})
    points = found.points
    assert points["difference"].tolist() == [-40.0, 40.0, -60.0]
    assert points["baseline_accuracy"].tolist() == [1.0, 0.6, 0.6]
    assert points["candidate_accuracy"].tolist() == [0.6, 1.0, 0.0]
    assert points[["only_baseline", "only_candidate"]].to_numpy().tolist() == [[4, 0], [0, 4], [6, 0]]
    p_values = [binomtest(k, n).pvalue for k, n in [(0, 4), (4, 4), (0, 6)]]
    assert points["p_value"].tolist() == pytest.approx(p_values)
    assert points["p_holm"].tolist() == pytest.approx(holm(np.array(p_values)).tolist())
    assert found.areas.loc[0, "baseline_area"] == pytest.approx((1 + 2 * 0.6 + 0.6) / 4)
    assert found.areas.loc[0, "area_difference"] == pytest.approx(100 * (0.65 - 0.7))


def test_a_test_that_stands_in_several_rows_counts_once() -> None:
    random = np.random.default_rng(0)
    tables = {
        name: {
            attack: survival(random.random((40, 3)) < share, f"{name}-{job}", attack)
            for attack, job in [("pgd20", "1"), ("bpda20", "1"), ("square", "2")]
        }
        for name, share in [("a", 0.4), ("b", 0.7)]
    }
    for attacks in tables.values():  # what shares a job has equal rows, and all have equal clean errors
        attacks["bpda20"] = survival(attacks["pgd20"].survived, attacks["pgd20"].jobs[0], "bpda20")
        attacks["square"].survived[:, 0] = attacks["pgd20"].survived[:, 0]
    points = compare_with(paired(tables)).points
    # 3 attacks with 3 radii, but one clean test and two computations with 2 radii each.
    once = points.loc[
        (points["attack"] == "pgd20") | ((points["attack"] == "square") & points["epsilon"].gt(0))
    ]
    assert len(once) == 5
    assert once["p_holm"].tolist() == pytest.approx(holm(once["p_value"].to_numpy()).tolist())
    by_attack = {name: rows["p_holm"].tolist() for name, rows in points.groupby("attack")}
    assert by_attack["pgd20"] == by_attack["bpda20"]
    assert by_attack["square"][0] == by_attack["pgd20"][0]


def test_clean_errors_of_a_randomized_defense_are_tested_attack_by_attack() -> None:
    random = np.random.default_rng(0)
    base = survival(np.ones((40, 3), dtype=bool), "b")
    pairs = [(base, survival(random.random((40, 3)) < share, attack, attack)) for attack, share in TWO]
    points = compare_with({"noisy": pairs}).points
    assert points["p_holm"].tolist() == pytest.approx(holm(points["p_value"].to_numpy()).tolist())
    assert (points["p_holm"] >= points["p_value"]).to_numpy().all()


def test_equal_defenses_are_called_different_in_any_row_at_most_5_times_in_100() -> None:
    random = np.random.default_rng(7)
    found = 0
    for _ in range(400):
        critical = random.integers(0, 5, (3, 120))  # three equal defenses: baseline and two candidates
        tables = {
            name: {"pgd20": survival(values[:, None] > np.arange(3), name)}
            for name, values in zip("abc", critical, strict=True)
        }
        found += bool((compare_with(paired(tables)).points["p_holm"] < 0.05).any())
    assert found / 400 <= 0.05


def test_areas() -> None:
    assert area((0.0, 0.1, 0.2), (1.0, 1.0, 1.0)) == pytest.approx(1)
    assert area((0.0, 0.1, 0.4), (1.0, 0.5, 0.0)) == pytest.approx((0.075 + 0.075) / 0.4)
    assert area((0.0,), (0.7,)) == 0.7


@pytest.mark.parametrize(
    ("differences", "p_values", "expected"),
    [
        ((0, 5, 9), (1, 0.2, 0.06), "no difference found"),
        ((0, 5, 9), (1, 0.0001, 0.0002), "stronger at ε ≥ 0.1 (p < 0.001); no difference found below"),
        ((-2, -5, -9), (0.01, 0.02, 0.0001), "weaker at every ε (p ≤ 0.02)"),
        ((-2, 5, 9), (0.01, 0.5, 0.0001), "weaker at ε = 0 (p = 0.01); stronger at ε = 0.2 (p < 0.001); "
         "no difference found elsewhere"),
        ((-2, -5, 9), (0.01, 0.03, 0.9), "weaker at ε ≤ 0.1 (p ≤ 0.03); no difference found above"),
        ((-2, 5, 9), (0.9, 0.03, 0.9), "stronger at ε = 0.1 (p = 0.03); no difference found elsewhere"),
    ],
)  # fmt: skip
def test_verdicts(differences: tuple[float, ...], p_values: tuple[float, ...], expected: str) -> None:
    points = pd.DataFrame({"epsilon": GRID, "difference": differences, "p_holm": p_values}, dtype=float)
    assert verdict(points.sample(frac=1, random_state=1), EpsilonUnit()) == expected


def test_verdicts_use_the_unit_and_name_stretches_within() -> None:
    grid = [k / 255 for k in range(4)]
    points = pd.DataFrame({"epsilon": grid, "difference": 1.0, "p_holm": [0.2, 0.01, 0.02, 0.3]})
    assert verdict(points, EpsilonUnit(255)).startswith("stronger at ε from 1/255 to 2/255 (p ≤ 0.02)")
