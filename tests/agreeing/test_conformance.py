"""The conformance list: complete, its guards hold, and it survives whatever a library does."""

import importlib.metadata
import logging

import numpy as np
import pytest
import torch

from robbench.agreeing.conformance import FAILED, MISSING, PRESENT, check_conformance, run_probe
from robbench.agreeing.contract import failing
from robbench.agreeing.probes import Finding, Probe, probes
from robbench.agreeing.tables import conformance_table


def test_the_list_is_complete_and_every_guard_holds() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), logging.getLogger().handlers[:]  # pyright: ignore[reportArgumentType]
    lines = check_conformance()
    assert [line.number for line in lines] == list(range(1, 26))
    assert failing(lines) == []
    for line in lines:
        assert line.state in (PRESENT, MISSING), line
        assert line.guarded is (None if line.state == MISSING else True)
        assert line.source.startswith("https://github.com/")
    present = {line.package for line in lines if line.state == PRESENT}
    assert present == {"torchattacks", "foolbox", "art", "pyautoattack"}
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # pyright: ignore[reportArgumentType]
    assert logging.getLogger().handlers == before[2]
    assert len(conformance_table(lines).rows) == 25


def probe(run: object, library: str = "foolbox") -> Probe:
    return Probe(11, library, "something", "https://example.org", run)  # pyright: ignore[reportArgumentType]


def test_a_fixed_pitfall_and_a_guard_that_does_not_hold() -> None:
    fixed = run_probe(probe(lambda: Finding(False, "it moves 0.3", True, "a step of our own")))
    assert fixed.state == "fixed upstream"
    assert failing([fixed]) == []
    open_ = run_probe(probe(lambda: Finding(True, "it moves 0.1", False, "a step of our own")))
    assert failing([open_]) == ["Item 11 (foolbox): the guard does not hold: a step of our own"]
    states, guards = zip(*(row[3:] for row in conformance_table([fixed, open_]).rows), strict=True)
    version = importlib.metadata.version("foolbox")
    assert states == (f"no longer in {version}: it moves 0.3", f"present in {version}: it moves 0.1")
    assert guards == ("holds: a step of our own", "DOES NOT HOLD: a step of our own")


def test_a_library_that_changed_or_is_missing_does_not_stop_the_list() -> None:
    def broken() -> Finding:
        raise AttributeError("no attribute 'LinfPGD'")

    line = run_probe(probe(broken))
    assert (line.state, line.seen) == (FAILED, "AttributeError: no attribute 'LinfPGD'")
    assert failing([line]) == ["Item 11 (foolbox): AttributeError: no attribute 'LinfPGD'"]
    missing = run_probe(probe(broken, "a-library-that-is-not-there"))
    assert missing.state == MISSING
    assert failing([missing]) == []
    assert conformance_table([missing]).rows[0][3] == "a-library-that-is-not-there is not installed"


@pytest.mark.parametrize("number", ["03", "11", "15"])
def test_a_guard_is_really_tried(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a step that is too short in the adapter, the guards of the step no longer hold."""
    one = probes.get(number)
    module = f"robbench.attacks.{one.package}_adapter.step_share"
    monkeypatch.setattr(module, lambda *_: 0.05)
    assert run_probe(one).guarded is False
