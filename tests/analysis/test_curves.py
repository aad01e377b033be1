import time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.proportion import proportion_confint

from robbench.analysis.curves import curves_of
from robbench.schema import CURVES, OUTCOMES, arrow_schema
from tests.outcome_tables import GRID, outcome_table


def test_counts_and_shares_of_a_table_worked_by_hand() -> None:
    broken = np.array(
        [
            [True, True, True, True],  # wrong unperturbed
            [False, True, True, True],
            [False, False, True, False],  # `independent` may find less at a larger ε
            [False, False, False, False],
        ]
    )
    curves = curves_of(outcome_table(range(4), broken, strategy="independent", seed=3), GRID)
    assert curves["epsilon"].tolist() == list(GRID)
    assert curves["n"].tolist() == [4] * 4
    assert curves["n_correct"].tolist() == [3, 2, 1, 2]
    assert curves["robust_accuracy"].tolist() == [0.75, 0.5, 0.25, 0.5]
    assert set(curves["strategy"]) == {"independent"}
    assert set(curves["seed"]) == {3}


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40).flatmap(lambda n: arrays(bool, (n, 4))), st.integers(1, 4))
def test_agrees_with_a_loop_and_statsmodels(broken: np.ndarray, kinds: int) -> None:
    defenses = np.array([f"defense {i % kinds}" for i in range(len(broken))])
    table = outcome_table(range(len(broken)), broken)
    position = table.schema.get_field_index("defense")
    table = table.set_column(position, table.schema.field(position), pa.array(defenses))
    curves = curves_of(table, GRID)
    for name, curve in curves.groupby("defense"):
        rows = broken[defenses == name]
        for point, found in enumerate(curve.to_dict("records")):
            correct = sum(not flag for flag in rows[:, point])
            low, high = proportion_confint(correct, len(rows), method="wilson")
            assert (found["n"], found["n_correct"]) == (len(rows), correct)
            assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high), abs=1e-12)


def test_every_key_separates_curves_which_keep_their_order() -> None:
    first: dict[str, Any] = {"dataset": "z", "defense": "y", "job_id": "ffff"}
    others: list[dict[str, Any]] = [
        {"backend": "art"},
        {"view": "bpda"},
        {"loss": "cw"},
        {"norm": "l2"},
        {"criterion": "top5"},
    ]
    tables = [outcome_table(range(3), **first), outcome_table(range(5))]
    tables += [outcome_table(range(2), **other) for other in others]
    late: dict[str, Any] = {**first, "attack": "late"}
    tables += [outcome_table([1], **late), outcome_table([9], **first)]
    curves = curves_of(pa.concat_tables(tables), GRID)
    assert curves["n"].tolist() == [n for n in (4, 5, 2, 2, 2, 2, 2, 1) for _ in GRID]
    assert curves["defense"].iloc[0] == "y"


def test_a_strategy_changed_on_the_way_is_said_and_splits_nothing() -> None:
    tables = [outcome_table([i], strategy=name) for i, name in enumerate(["search", "survivors"])]
    curves = curves_of(pa.concat_tables(tables), GRID)
    assert set(curves["strategy"]) == {"search+survivors"}
    assert curves["n"].tolist() == [2] * 4


def test_columns_follow_the_schema_also_without_rows() -> None:
    expected = arrow_schema(CURVES)
    for rows in (3, 0):
        curves = curves_of(outcome_table(range(rows)), GRID)
        assert pa.Table.from_pandas(curves, preserve_index=False).schema.names == expected.names
        assert len(curves) == (4 if rows else 0)
        pa.Table.from_pandas(curves, preserve_index=False).cast(expected)


def test_a_slice_of_a_table_is_read_as_what_it_is() -> None:
    table = outcome_table(range(20))
    assert curves_of(table.slice(5, 5), GRID).equals(curves_of(outcome_table(range(5, 10)), GRID))


def test_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="3 points"):
        curves_of(outcome_table(range(3)), GRID[:3])


def test_a_million_rows_take_seconds() -> None:
    groups, samples, points = 100, 10_000, 13
    grid = tuple(np.linspace(0, 0.3, points).tolist())
    first = np.random.default_rng(0).integers(0, points + 1, groups * samples)
    flags = pa.array((np.arange(points) >= first[:, None]).ravel())
    offsets = pa.array(np.arange(0, len(flags) + 1, points, dtype=np.int32))
    names = pa.array([f"defense {i}" for i in range(groups)])
    codes = pa.array(np.repeat(np.arange(groups), samples))
    columns = {
        field.name: pa.array(["x"]).take(pa.array(np.zeros(len(codes), dtype=int)))
        for field in arrow_schema(OUTCOMES)
        if field.type == pa.string()
    }
    columns |= {"defense": names.take(codes), "seed": pa.array(np.zeros(len(codes), dtype=int))}
    table = pa.table(columns | {"broken": pa.ListArray.from_arrays(offsets, flags)})
    began = time.perf_counter()
    curves = curves_of(table, grid)
    assert time.perf_counter() - began < 20
    assert len(curves) == groups * points
    assert curves["n_correct"].iloc[0] == np.sum(first[:samples] > 0)


def test_a_frame_gives_what_its_table_gives() -> None:
    table = outcome_table(range(9))
    frame = table.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert curves_of(frame, GRID).equals(curves_of(table, GRID))
