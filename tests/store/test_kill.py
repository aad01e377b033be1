import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

import robbench.files
from robbench.store import find_runs, read_curves, read_outcomes
from robbench.store.examples import read_examples
from robbench.store.layout import read_manifest
from tests.store import killed_writer

ROOT = Path(__file__).parents[2]


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    killed_writer.run(folder)
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.killed_writer", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert isinstance(process.stdout, IO) or process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def assert_same(folder: Path, expected: Path) -> None:
    assert (folder / "curves.csv").read_bytes() == (expected / "curves.csv").read_bytes()
    assert read_outcomes(folder).equals(read_outcomes(expected))
    for job_id in killed_writer.JOBS:
        assert read_examples(folder, job_id).equals(read_examples(expected, job_id))
    manifest = read_manifest(folder)
    assert manifest["jobs"] == read_manifest(expected)["jobs"]
    names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert names == {str(path.relative_to(expected)) for path in expected.rglob("*")}


def test_a_run_killed_at_random_moments_ends_as_if_undisturbed(tmp_path: Path, undisturbed: Path) -> None:
    folder, moments = tmp_path / "run", random.Random(7)
    killed = 0
    for _ in range(6):
        with start(folder) as process:
            time.sleep(moments.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            process.wait()
        killed += process.returncode == -signal.SIGKILL
        if (folder / "run.json").exists() and read_manifest(folder)["state"] == "running":
            assert read_curves(find_runs(folder)).unfinished == [folder]
    assert killed >= 2
    killed_writer.run(folder)
    assert_same(folder, undisturbed)
    assert len(read_manifest(folder)["continued"]) >= 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_between_any_two_operations_loses_nothing(
    tmp_path: Path, undisturbed: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kills at the k-th rename, removal of a file and removal of a folder, for every k there is."""
    monkeypatch.setattr(killed_writer, "JOBS", killed_writer.JOBS[:2])
    monkeypatch.setattr(killed_writer, "PART", 20)
    monkeypatch.setattr(robbench.files.os, "fsync", lambda descriptor: None)
    expected = tmp_path / "expected"
    killed_writer.run(expected)
    k, survived = 0, False
    while not survived:
        k += 1
        folder = tmp_path / str(k)
        with monkeypatch.context() as patch:
            _die_at(patch, k, after)
            try:
                killed_writer.run(folder)
                survived = True
            except Killed:
                pass
        killed_writer.run(folder)
        assert read_outcomes(folder).equals(read_outcomes(expected))
        for job_id in killed_writer.JOBS:
            assert read_examples(folder, job_id).equals(read_examples(expected, job_id))
        assert not [*(folder / "jobs").glob("*/"), *(folder / "examples").glob("*/")]
        assert not [path for path in folder.rglob(".*")]
    assert k > 20


def _die_at(patch: pytest.MonkeyPatch, moment: int, after: bool) -> None:
    """Let the process die at the ``moment``-th change of a folder, before or after it happens."""
    count = 0

    def mortal(name: str) -> None:
        original = getattr(os, name)

        def operation(*arguments: object, **options: object) -> object:
            nonlocal count
            count += 1
            if count == moment and not after:
                raise Killed
            if count > moment:
                raise Killed  # dead is dead: what cleans up after an exception does not run either
            result = original(*arguments, **options)
            if count == moment:
                raise Killed
            return result

        patch.setattr(os, name, operation)

    for name in ("replace", "unlink", "rmdir", "mkdir"):
        mortal(name)


def test_a_killed_writer_leaves_no_stale_lock(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with start(folder) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (folder / "run.lock").exists()
    killed_writer.run(folder)
    assert read_manifest(folder)["state"] == "complete"
