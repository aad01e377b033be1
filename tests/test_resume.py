"""A run killed at any moment ends with the rows of an undisturbed one; a second writer is refused."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.commands import start

SWEEP = (
    *("run", "--defense", "natural,sq", "--eps-grid", "0:0.3:7", "--samples", "200"),
    *("--attacks", "pgd20:restarts=2,bpda10,square:queries=15"),
)


def _begin(out: Path):
    return start(*SWEEP, "--out", out)


def _wait_for(path: Path, pattern: str, process) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(path.rglob(pattern)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    process = _begin(out)
    _, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    return out


@pytest.mark.parametrize("seed", [0, 1])
def test_kills_at_random_moments_change_nothing(tmp_path, undisturbed, seed):
    out, moments, kills = tmp_path / "run", random.Random(seed), 0
    for _ in range(6):
        process = _begin(out)
        _wait_for(tmp_path, "run.json", process)
        try:
            process.communicate(timeout=moments.uniform(0, 4))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
    process = _begin(out)
    _, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    assert kills >= 1, "the run was too quick to be killed"
    expected = pd.read_parquet(undisturbed / "outcomes.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(out / "outcomes.parquet"), expected)
    assert (out / "curves.csv").read_bytes() == (undisturbed / "curves.csv").read_bytes()


def test_a_second_writer_is_told_who_holds_the_folder(tmp_path):
    first = _begin(tmp_path / "run")
    _wait_for(tmp_path, "run.json", first)
    first.send_signal(signal.SIGSTOP)  # or it may be done before the second one begins
    second = _begin(tmp_path / "run")
    _, err = second.communicate(timeout=120)
    first.kill()
    first.communicate()
    assert second.returncode == 2, err
    assert str(first.pid) in err
    assert "Traceback" not in err
