import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robbench.analysis.curves import curves_of
from robbench.errors import UserError
from robbench.schema import CURVES, OUTCOMES, arrow_schema
from robbench.store import find_runs, open_run, read_curves, read_outcomes
from tests.outcome_tables import GRID, JOB, outcome_table

EXTRA = ["run", "title", "weights", "fingerprint", "unguided"]
"""The columns that a run's record adds to its curves."""


def make_run(folder: Path, complete: bool = True) -> Path:
    with open_run(folder, {"identity": "ab12", "spec": {}}) as store:
        store.append(JOB, outcome_table(range(7)))
        if complete:
            store.complete_job(JOB, {})
            outcomes = store.outcomes(JOB)
            store.finish(outcomes, curves_of(outcomes, GRID))
    return folder


def test_runs_are_found_oldest_first(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name) for name in ("zebra", "ant", "mole")]
    (tmp_path / "figures").mkdir()
    (tmp_path / "notes.txt").touch()
    assert find_runs(tmp_path) == runs
    assert find_runs(runs[1]) == [runs[1]]


def test_no_runs_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, words in [
        (tmp_path, "holds no runs"),
        (tmp_path / "x", "no folder"),
        (tmp_path / "file", "is no"),
    ]:
        with pytest.raises(UserError, match=words):
            find_runs(path)


@pytest.mark.parametrize("locked", ["", "b"])
def test_a_folder_that_may_not_be_looked_into_is_named(
    tmp_path: Path, forbid: Callable[[str, Path], None], locked: str
) -> None:
    make_run(tmp_path / "a")
    (tmp_path / "b").mkdir()
    forbid("is_file", tmp_path / locked)
    with pytest.raises(UserError, match=r"run\.json cannot be read: Permission denied"):
        find_runs(tmp_path)


def test_a_folder_whose_name_is_no_utf8_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"results-\xff")
    with pytest.raises(UserError, match="is no UTF-8"):
        make_run(folder)
    assert not folder.exists()
    make_run(tmp_path / "run")
    folder.mkdir()
    (tmp_path / "run").rename(folder / "run")
    with pytest.raises(UserError, match="is no UTF-8"):
        find_runs(folder)


def test_curves_of_several_runs_and_the_unfinished_ones(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b", complete=False), make_run(tmp_path / "c")]
    curves, unfinished = read_curves(runs)
    assert unfinished == [runs[1]]
    assert list(curves.columns) == [*arrow_schema(CURVES).names, *EXTRA]
    assert curves["run"].tolist() == [str(runs[0])] * 4 + [str(runs[2])] * 4
    assert curves["n"].tolist() == [7] * 8
    # Sample i breaks from grid point i mod 5 on: of 7 samples 2, 2, 1, 1 break at each point.
    assert curves["n_correct"].tolist() == [5, 3, 2, 1] * 2


def test_only_unfinished_runs_give_an_empty_table(tmp_path: Path) -> None:
    curves, unfinished = read_curves([make_run(tmp_path / "a", complete=False)])
    assert len(curves) == 0
    assert list(curves.columns) == [*arrow_schema(CURVES).names, *EXTRA]
    assert unfinished == [tmp_path / "a"]


def test_outcomes_come_back(tmp_path: Path) -> None:
    frame = read_outcomes(make_run(tmp_path / "a"))
    assert list(frame.columns) == arrow_schema(OUTCOMES).names
    assert frame["broken"][1].tolist() == [False, True, True, True]
    assert frame["critical_epsilon"].isna().tolist() == [False] * 4 + [True] + [False] * 2
    # The way through pandas loses nothing: the curves are the same.
    assert curves_of(frame, GRID).equals(read_curves([tmp_path / "a"]).curves.drop(columns=[*EXTRA]))


def test_outcomes_of_an_unfinished_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not complete"):
        read_outcomes(make_run(tmp_path / "a", complete=False))


@pytest.mark.parametrize("damage", ["cut", "missing column", "foreign", "other type", "null"])
def test_a_damaged_table_is_named(tmp_path: Path, damage: str) -> None:
    run = make_run(tmp_path / "a")
    path = run / "curves.parquet"
    table = pq.read_table(path)
    position = table.schema.get_field_index("n")
    damages = {
        "missing column": table.drop_columns(["n"]),
        "foreign": pa.table({"price": [1.0]}),
        "other type": table.set_column(position, "n", pa.array(["many"] * 4)),
        "null": table.set_column(position, "n", pa.nulls(4, pa.int64())),
    }
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        pq.write_table(damages[damage], path)
    with pytest.raises(UserError, match=r"curves\.parquet"):
        read_curves([run])


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    (run / "run.json").write_text(json.dumps({"identity": "x"}))
    with pytest.raises(UserError, match=r"run\.json"):
        find_runs(tmp_path)
    with pytest.raises(UserError, match=r"run\.json"):
        read_curves([run])


def test_curves_carry_the_titles_that_the_run_prints(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    manifest = json.loads((run / "run.json").read_text())
    name = str(read_curves([run]).curves["defense"].iloc[0])
    for record, title in (
        ({}, name),
        ({name: {}}, name),
        ({name: {"title": "FAST-AT (collapsed)"}}, "FAST-AT (collapsed)"),
    ):
        (run / "run.json").write_text(json.dumps({**manifest, "defenses": record}))
        assert set(read_curves([run]).curves["title"]) == {title}
