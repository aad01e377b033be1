import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robbench.analysis.curves import curves_of
from robbench.errors import UserError
from robbench.schema import OUTCOMES, arrow_schema
from robbench.store import RunStore, open_run
from tests.outcome_tables import GRID, JOB, outcome_table

MANIFEST: dict[str, Any] = {
    "identity": "ab12",
    "spec": {"dataset": "digits", "defenses": ("natural", "nsq"), "seed": 0},
    "versions": {"torch": "2.11"},
}
ROOT = Path(__file__).parents[2]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def finish(store: RunStore) -> None:
    outcomes = store.outcomes(JOB)
    store.finish(outcomes, curves_of(outcomes, GRID))


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run with one part of one job."""
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.append(JOB, outcome_table([2, 0, 1]))
    return tmp_path / "run"


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.append(JOB, outcome_table(range(6)))
        store.complete_job(JOB, {"seconds": 2.0})
        finish(store)
    return tmp_path / "run"


def test_a_new_run_says_what_it_is(tmp_path: Path) -> None:
    with open_run(tmp_path / "results" / "run", MANIFEST) as store:
        written = json.loads((tmp_path / "results" / "run" / "run.json").read_text())
        assert written == store.manifest
        assert store.state == "running"
    assert written["identity"] == "ab12"
    assert written["spec"]["defenses"] == ["natural", "nsq"]
    assert written["versions"] == {"torch": "2.11"}
    assert (written["schema_version"], written["state"], written["jobs"]) == (1, "running", {})


def test_the_seconds_of_a_jobs_parts_add_up_and_leave_no_trace_in_its_file(tmp_path: Path) -> None:
    for part, seconds in enumerate((1.5, 2.25)):
        with open_run(tmp_path / "run", MANIFEST) as store:
            store.append(JOB, outcome_table([part]), seconds)
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.append(JOB, outcome_table([2]))
        assert store.seconds(JOB) == 3.75
        store.complete_job(JOB, {})
    assert set(pq.read_schema(tmp_path / f"run/jobs/{JOB}.parquet").metadata) == {b"robbench_schema"}


def test_rows_come_back_sorted_and_once(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.append(JOB, outcome_table([4, 2], seed=1))
        store.append(JOB, outcome_table([0, 2], seed=2))
        assert store.stored_indices(JOB) == {0, 2, 4}
        rows = store.outcomes(JOB)
        assert rows["sample_index"].to_pylist() == [0, 2, 4]
        assert rows["seed"].to_pylist() == [2, 1, 1]
        store.complete_job(JOB, {"seconds": np.float32(2), "passes": np.int64(7)})
        assert store.outcomes(JOB).equals(rows)
        assert store.stored_indices(JOB) == {0, 2, 4}
    assert json.loads((tmp_path / "run/run.json").read_text())["jobs"] == {JOB: {"seconds": 2.0, "passes": 7}}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True), max_size=5))
def test_any_parts_merge_to_the_first_row_of_each_sample(parts: list[list[int]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_run(Path(folder) / "run", MANIFEST) as store,
    ):
        expected: dict[int, int] = {}
        for number, indices in enumerate(parts):
            store.append(JOB, outcome_table(indices, seed=number))
            expected = {index: number for index in indices} | expected
        store.complete_job(JOB, {})
        rows = store.outcomes(JOB)
        assert rows.schema.equals(arrow_schema(OUTCOMES), check_metadata=False)
        found = zip(rows["sample_index"].to_pylist(), rows["seed"].to_pylist(), strict=True)
        assert list(found) == sorted(expected.items())


def test_a_run_goes_on_where_it_stopped(begun: Path) -> None:
    newer = MANIFEST | {"versions": {"torch": "2.12"}}
    with open_run(begun, newer) as store:
        assert store.stored_indices(JOB) == {0, 1, 2}
        assert store.manifest["versions"] == {"torch": "2.11"}
        assert store.manifest["continued"][0]["changed"] == {"versions": {"torch": "2.12"}}
        store.append(JOB, outcome_table([3]))
        store.complete_job(JOB, {})
        finish(store)
        assert store.state == "complete"
    assert pq.read_table(begun / "outcomes.parquet")["sample_index"].to_pylist() == [0, 1, 2, 3]
    assert files(begun) == {
        *("run.json", "run.lock", "outcomes.parquet", "curves.parquet", "curves.csv"),
        *("jobs", f"jobs/{JOB}.parquet"),
    }


def test_a_complete_run_is_left_as_it_is(complete: Path) -> None:
    before = (complete / "run.json").read_bytes()
    with open_run(complete, MANIFEST) as store:
        assert store.state == "complete"
        assert store.completed_jobs() == {JOB: {"seconds": 2.0}}
    assert (complete / "run.json").read_bytes() == before


def test_a_complete_run_is_opened_where_nobody_may_write(complete: Path, monkeypatch) -> None:
    (complete / "run.lock").unlink()
    before = files(complete)
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with open_run(complete, MANIFEST) as store:
        assert store.state == "complete"
    assert files(complete) == before
    (complete / "curves.csv").unlink()
    with pytest.raises(UserError, match="no permission to write"), open_run(complete, MANIFEST):
        pass


def test_deleting_the_rows_of_one_job_has_just_that_computed_again(tmp_path: Path) -> None:
    kept = f"{JOB[:-1]}0"
    with open_run(tmp_path / "run", MANIFEST) as store:
        for job_id in (JOB, kept):
            store.append(job_id, outcome_table(range(6), job_id=job_id))
            store.remember(job_id, {"strategy": "search"})
            store.complete_job(job_id, {"seconds": 2.0})
        finish(store)
    (tmp_path / "run" / "jobs" / f"{JOB}.parquet").unlink()
    with open_run(tmp_path / "run", MANIFEST) as store:
        assert store.state == "running"
        assert set(store.completed_jobs()) == {kept}
        assert store.recall(JOB) == {}
        assert store.recall(kept) == {"strategy": "search"}
        store.append(JOB, outcome_table(range(6)))
        store.complete_job(JOB, {"seconds": 1.0})
        finish(store)
        assert store.state == "complete"


def test_deleting_a_result_has_it_written_again(complete: Path) -> None:
    expected = (complete / "curves.csv").read_bytes()
    (complete / "curves.parquet").unlink()
    with open_run(complete, MANIFEST) as store:
        assert store.state == "running"
        assert set(store.completed_jobs()) == {JOB}
        finish(store)
    assert (complete / "curves.csv").read_bytes() == expected


def test_another_spec_is_refused_with_what_differs(begun: Path) -> None:
    before = files(begun)
    asked = {"identity": "ff00", "spec": MANIFEST["spec"] | {"defenses": ["natural"], "norm": "l2"}}
    with pytest.raises(UserError) as error, open_run(begun, asked):
        pass
    assert "defenses: natural, nsq -> natural" in error.value.message
    assert "norm: (absent) -> l2" in error.value.message
    assert "seed" not in error.value.message
    assert "--out" in error.value.hint
    assert files(begun) == before


def test_the_same_spec_on_other_weights_is_refused(begun: Path) -> None:
    asked = MANIFEST | {"identity": "ff00", "weights": "new"}
    with pytest.raises(UserError, match=r"not what it stands for \(weights\)"), open_run(begun, asked):
        pass


def test_foreign_files_are_not_written_among(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"thesis\.tex"), open_run(tmp_path, MANIFEST):
        pass
    assert files(tmp_path) == {"thesis.tex"}


def test_a_file_or_a_broken_link_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place in ("file", "file/run", "link", "link/run"):
        with pytest.raises(UserError, match="not a folder"), open_run(tmp_path / place, MANIFEST):
            pass
    assert files(tmp_path) == {"file", "link"}


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    with open_run(tmp_path, MANIFEST) as store:
        assert store.state == "running"


def test_no_permission_is_said_and_nothing_created() -> None:
    code = (
        "import os, sys, pathlib; from robbench.store import open_run\n"
        "from robbench.errors import UserError\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "for place in sys.argv[1:]:\n"
        "    try:\n"
        "        with open_run(pathlib.Path(place), {'identity': 'ab', 'spec': {}}): print('opened')\n"
        "    except UserError as error: print(error.message)\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        command = [sys.executable, "-c", code, str(folder), str(folder / "new" / "run")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.count("no permission") == 2
        assert files(folder) == set()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '"text"',
        "{}",
        '{"identity": "ab12", "spec": {}}',
        '{"identity":"ab12","spec":{},"created":"","schema_version":1,"state":"odd","jobs":{}}',
        '{"identity":"ab12","spec":{},"created":"","schema_version":1,"state":"running","jobs":{"../../x":{}}}',
        "\x00\xff",
        "[" * 100_000,
    ],
)
def test_an_unreadable_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="latin-1")
    with pytest.raises(UserError, match=r"run\.json"), open_run(tmp_path, MANIFEST):
        pass
    assert files(tmp_path) == {"run.json"}


def test_a_newer_schema_is_refused(begun: Path) -> None:
    manifest = json.loads((begun / "run.json").read_text())
    (begun / "run.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(UserError, match="newer robbench"), open_run(begun, MANIFEST):
        pass


def test_a_second_writer_is_told_who_holds_the_run(begun: Path) -> None:
    with open_run(begun, MANIFEST), pytest.raises(UserError) as error, open_run(begun, MANIFEST):
        pass
    assert f"process {os.getpid()} on " in error.value.message
    with open_run(begun, MANIFEST):
        pass


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "other columns", "empty"])
@pytest.mark.parametrize("name", ["part", "job"])
def test_damaged_rows_are_named_and_deleting_them_helps(tmp_path: Path, damage: str, name: str) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.append(JOB, outcome_table(range(50)))
        if name == "job":
            store.complete_job(JOB, {})
    path = next((tmp_path / "run/jobs").rglob("*.parquet"))
    content = path.read_bytes()
    if damage == "other columns":
        pq.write_table(pa.table({"sample_index": [1]}), path)
    else:
        flipped = content[:200] + bytes([content[200] ^ 255]) + content[201:]
        options = {"cut": content[:-9], "flipped": flipped, "foreign": b"PAR1 and so on", "empty": b""}
        path.write_bytes(options[damage])
    with pytest.raises(UserError) as error, open_run(tmp_path / "run", MANIFEST):
        pass
    assert str(path) in error.value.message
    assert "Delete" in error.value.hint
    path.unlink()
    with open_run(tmp_path / "run", MANIFEST) as store:
        assert store.completed_jobs() == {}
        assert store.stored_indices(JOB) == frozenset()


@pytest.mark.parametrize("job_id", ["", "../../etc", "AB12", "ab", "ab12/..", "g" * 16, "a" * 65, "ab12\n"])
def test_a_job_id_that_is_no_hex_string_never_becomes_a_path(tmp_path: Path, job_id: str) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        before = files(tmp_path)
        with pytest.raises(ValueError, match="job id"):
            store.append(job_id, outcome_table([0]))
        with pytest.raises(ValueError, match="job id"):
            store.complete_job(job_id, {})
        assert files(tmp_path) == before


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        with pytest.raises(ValueError, match="distance"):
            store.append(JOB, outcome_table([0]).drop_columns(["distance"]))
        nameless = outcome_table([0]).drop_columns(["defense"])
        nothing = pa.nulls(1, pa.string())
        with pytest.raises(ValueError, match="null"):
            store.append(JOB, nameless.append_column("defense", nothing))
        store.append(JOB, outcome_table([0]).select(sorted(arrow_schema(OUTCOMES).names)))
        assert store.stored_indices(JOB) == {0}


def test_a_complete_job_takes_no_more_rows(complete: Path) -> None:
    with open_run(complete, MANIFEST) as store:
        with pytest.raises(ValueError, match="complete"):
            store.append(JOB, outcome_table([9]))
        with pytest.raises(ValueError, match="complete"):
            store.complete_job(JOB, {})


def test_what_a_killed_writer_left_is_removed(begun: Path) -> None:
    for folder in (begun, begun / "jobs", begun / "jobs" / JOB):
        (folder / ".0123456789abcdef.robbench-partial").write_bytes(b"half")
    with open_run(begun, MANIFEST):
        pass
    assert not [name for name in files(begun) if "partial" in name]
