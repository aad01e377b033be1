"""A stand-in for plotly's script, which is 5 MB: only a browser has use for it."""

import pytest

PLOTLY = "const Plotly = {};"


@pytest.fixture(autouse=True)
def without_plotly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "browser" not in request.keywords:
        monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: PLOTLY)
