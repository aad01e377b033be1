"""No test needs a speed measured well."""

import pytest

from robbench.bench import limit


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.0)
