"""What all tests share: one thread per worker, and the data that may lie beside the checkout."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """Takes the permission to ask something of what lies in a folder; who runs tests may have every one."""

    def without_permission(question: str, folder: Path) -> None:
        ask = getattr(Path, question)

        def refuse(path: Path, *given: Any) -> Any:
            if path.parent == folder:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return ask(path, *given)

        monkeypatch.setattr(Path, question, refuse)

    return without_permission


@pytest.fixture
def shell(monkeypatch, capsys) -> Shell:
    """Types robbench commands and catches what they print."""
    return Shell(monkeypatch, capsys)
