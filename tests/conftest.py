"""What all tests share: one thread per worker, and the data that may lie beside the checkout."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.commands import Shell

# A machine that is busy with other work draws examples slowly, which says nothing of the code.
settings.register_profile("robbench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("robbench")

# Tests run in parallel processes; more threads in each would only wait for each other.
torch.set_num_threads(1)

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with MNIST and CIFAR-10; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ROBBENCH_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip("needs MNIST and CIFAR-10 in $ROBBENCH_DATA or in ../shared/data")
    return folder


def pytest_collection_modifyitems(items):
    for item in items:
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, and torch sees none"))


@pytest.fixture
def shell(monkeypatch, capsys) -> Shell:
    """Types robbench commands and catches what they print."""
    return Shell(monkeypatch, capsys)
