import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robbench.analysis.curves import curves_of
from robbench.analysis.intervals import wilson
from robbench.analysis.survival import survivals_of
from robbench.analysis.worst_of import WORST_OF, curves_with_worst_of, worst_of
from robbench.schema import CURVES, arrow_schema
from tests.outcome_tables import GRID, outcome_table


def rows(defense: str, attack: str, broken: np.ndarray, job: str) -> pa.Table:
    return outcome_table(range(len(broken)), broken, defense=defense, attack=attack, job_id=job)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12).flatmap(lambda n: arrays(bool, (3, n, 4))))
def test_a_sample_is_broken_if_any_attack_broke_it(broken: np.ndarray) -> None:
    tables = [rows("nsq", f"pgd{i}", flags, f"000{i}") for i, flags in enumerate(broken)]
    curves = curves_with_worst_of(pa.concat_tables(tables), GRID)
    worst = curves.loc[curves["attack"] == WORST_OF]
    expected = [
        sum(not any(flags[sample, point] for flags in broken) for sample in range(broken.shape[1]))
        for point in range(4)
    ]
    assert worst["n_correct"].tolist() == expected
    assert worst["ci_low"].tolist() == wilson(np.array(expected), np.array(broken.shape[1])).low.tolist()
    assert set(worst["job_id"]) == {"0000+0001+0002"}


def test_the_other_curves_stay_and_every_defense_gets_one() -> None:
    none, every = np.zeros((5, 4), bool), np.ones((5, 4), bool)
    table = pa.concat_tables(
        [
            rows("natural", "pgd", every, "aaaa"),
            rows("natural", "bpda", every, "aaaa"),
            rows("nsq", "pgd", none, "bbbb"),
            rows("nsq", "bpda", every, "cccc"),
        ]
    )
    curves = curves_with_worst_of(table, GRID)
    pd.testing.assert_frame_equal(curves.iloc[:16], curves_of(table, GRID))
    worst = curves.iloc[16:]
    assert worst["defense"].tolist() == ["natural"] * 4 + ["nsq"] * 4
    # What is one computation counts once.
    assert worst["job_id"].tolist() == ["aaaa"] * 4 + ["bbbb+cccc"] * 4
    assert set(worst["robust_accuracy"]) == {0.0}
    assert set(zip(worst["backend"], worst["view"], worst["loss"], strict=True)) == {("all", "all", "")}
    pa.Table.from_pandas(curves, preserve_index=False).cast(arrow_schema(CURVES))


@pytest.mark.parametrize("attacks", [{"pgd": "aaaa"}, {"pgd": "aaaa", "bpda": "aaaa"}])
def test_one_computation_alone_has_no_worst(attacks: dict[str, str]) -> None:
    flags = np.zeros((3, 4), bool)
    table = pa.concat_tables([rows("natural", name, flags, job) for name, job in attacks.items()])
    assert curves_with_worst_of(table, GRID).equals(curves_of(table, GRID))


def test_samples_meet_by_identity_not_by_row() -> None:
    broken = np.array([[False] * 4, [True] * 4, [False] * 4])
    forward = outcome_table([0, 1, 2], broken, job_id="aaaa").to_pandas()
    backward = outcome_table([2, 1, 0], broken, attack="fgsm", job_id="bbbb").to_pandas()
    first, second = (survivals_of(frame, GRID) for frame in (forward, backward))
    assert worst_of([*first.values(), *second.values()]).survived[:, 0].tolist() == [True, False, True]
    fewer = survivals_of(backward.iloc[:2], GRID)
    with pytest.raises(ValueError, match="same samples"):
        worst_of([*first.values(), *fewer.values()])


def test_equal_images_are_paired_in_order() -> None:
    frame = outcome_table([0, 1], np.array([[False] * 4, [True] * 4])).to_pandas()
    frame["sample_id"] = "00ff"
    turned = frame.iloc[::-1].assign(attack="fgsm", job_id="bbbb")
    both = [survivals_of(table, GRID) for table in (frame, turned)]
    assert worst_of([next(iter(found.values())) for found in both]).survived[:, 0].tolist() == [True, False]


def test_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="3 points"):
        survivals_of(outcome_table([0]).to_pandas(), GRID[:3])
