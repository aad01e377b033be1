"""What the dataset tests share: a clean environment, and the real data where they are."""

import os
from pathlib import Path

import pytest

_DIRECTORY = Path(os.environ.get("ROBBENCH_DATA") or Path(__file__).parents[2] / "../shared/data")


@pytest.fixture(autouse=True)
def no_data_variable(monkeypatch):
    monkeypatch.delenv("ROBBENCH_DATA", raising=False)


@pytest.fixture(scope="session")
def real_data():
    if not _DIRECTORY.is_dir():
        pytest.skip("MNIST and CIFAR-10 are not on this machine; ROBBENCH_DATA names their folder")
    return _DIRECTORY
