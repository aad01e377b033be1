import pytest

from robbench.analysis.sweeps import Sweep
from robbench.comparing.sweep_notes import alike_command

BASE = Sweep("base", "robbench run", "survivors", (0.0, 0.1, 0.2), (), 100)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("robbench run --defense nsq --samples 60 --sweep search --eps-grid 0,0.1 --out r", "--defense nsq"),
        ("robbench run --eps-grid --defense nsq --sweep=search --out=r", "--defense nsq"),
        ("robbench run --defense nsq --eps-grid", "--defense nsq"),
        ("robbench run --defense 'my file.py:build' --out 'a b'", "--defense 'my file.py:build'"),
        ("robbench run --config sweep.toml --samples 60", "--config sweep.toml"),
    ],
)
def test_the_command_that_sweeps_alike_says_every_option_once(typed, kept):
    candidate = Sweep("r", typed, "search", (0.0, 0.1), (), 60)
    options = "--samples 100 --sweep survivors --eps-grid 0:0.2:3 --out r-alike"
    assert alike_command(BASE, candidate) == f"robbench run {kept} {options}"


@pytest.mark.parametrize("command", ["", "robbench bench", "robbench run --out 'a"])
def test_a_command_that_is_not_known_is_left_to_the_reader(command):
    candidate = Sweep("r", command, "search", (0.0, 0.1), (), 100)
    assert alike_command(BASE, candidate) == (
        "robbench run … --sweep survivors --eps-grid 0:0.2:3 --out r-alike"
    )
