"""The wheel alone, in an empty directory: the shipped models are found and the default run works."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SWEEP = (
    *("-m", "robbench", "run", "--defense", "natural,pgd-at,sq,nsq", "--attacks", "pgd3,bpda3"),
    *("--eps-grid", "--samples", "20"),
)
CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(
    not (CHECKOUT / "pyproject.toml").exists(), reason="needs the checkout the wheel is built from"
)
def test_the_wheel_runs_in_an_empty_directory(tmp_path):
    # Without isolation: what the build needs is installed here, and tests fetch nothing.
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, CHECKOUT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert {name.partition("/")[0] for name in names} == {"robbench", f"robbench-{_version()}.dist-info"}
    assert wheel.stat().st_size < 8_000_000
    done = subprocess.run(
        [sys.executable, *SWEEP],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (run,) = (empty / "results").iterdir()
    assert str(site) in (run / "run.json").read_text(), "the models of the checkout were used"


def _version() -> str:
    import robbench

    return robbench.__version__
