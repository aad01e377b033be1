from pathlib import Path

import pytest

from robbench.errors import UserError
from robbench.store import open_run
from robbench.store.examples import KEPT, read_examples
from tests.outcome_tables import JOB, example_table, outcome_table

MANIFEST = {"identity": "ab12", "spec": {"seed": 0}}


def test_the_first_few_stay(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        for part in ([9, 20, 3], [], [7, 4, 12, 5], [1, 2, 30]):
            store.keep_examples(JOB, example_table(part))
        store.append(JOB, outcome_table(range(40)))
        store.complete_job(JOB, {})
    kept = read_examples(tmp_path / "run", JOB)
    assert kept.sample_index.tolist() == sorted([9, 20, 3, 7, 4, 12, 5, 1, 2, 30])[:KEPT]
    assert kept.image[0] == example_table([1])["image"][0].as_py()
    assert [path.name for path in (tmp_path / "run" / "examples").iterdir()] == [f"{JOB}.parquet"]


def test_a_job_without_any_has_no_file(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.keep_examples(JOB, example_table([]))
        store.append(JOB, outcome_table(range(4)))
        store.complete_job(JOB, {})
    assert read_examples(tmp_path / "run", JOB).empty
    assert not (tmp_path / "run" / "examples").exists()


def test_images_of_an_unfinished_run_are_there_when_it_goes_on(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.keep_examples(JOB, example_table([1, 2]))
        store.append(JOB, outcome_table([0, 1, 2]))
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.keep_examples(JOB, example_table([5]))
        store.append(JOB, outcome_table([3, 4, 5]))
        store.complete_job(JOB, {})
    assert read_examples(tmp_path / "run", JOB).sample_index.tolist() == [1, 2, 5]


def test_a_damaged_file_is_named_and_can_go(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", MANIFEST) as store:
        store.keep_examples(JOB, example_table([1]))
        store.append(JOB, outcome_table([1]))
        store.complete_job(JOB, {})
    file = tmp_path / "run" / "examples" / f"{JOB}.parquet"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match=rf"{JOB}.parquet cannot be read[^\n]*\nDelete that file"):
        read_examples(tmp_path / "run", JOB)
    file.unlink()
    assert read_examples(tmp_path / "run", JOB).empty
    with pytest.raises(ValueError, match="no job id"):
        read_examples(tmp_path / "run", "../../etc/passwd")
