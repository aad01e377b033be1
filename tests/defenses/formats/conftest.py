"""What tests of formats share: a process into which no file has brought a neighbour."""

import sys

import pytest

from robbench.defenses.formats import neighbours


@pytest.fixture
def nothing_brought(monkeypatch):
    """No file of another test has brought a neighbour, and none of this one's stays."""
    monkeypatch.setattr(neighbours, "_brought", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for brought in neighbours._brought.values():
        for name in brought.modules:
            sys.modules.pop(name, None)
