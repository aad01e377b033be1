"""new-defense and check as a user types them."""

import pytest
import torch

import robbench
from tests.commands import Shell

RAISES = """
from torch import nn

class Net(nn.Module):
    def forward(self, images):
        raise ValueError("bad")
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", ["layer", "network"])
def test_what_new_defense_writes_passes_the_check(shell: Shell, kind: str) -> None:
    written = shell("new-defense", "mine.py", "--kind", kind)
    assert written.code == 0, written.err
    assert "robbench check mine.py:build" in written.err
    checked = shell("check", "mine.py:build", "--samples", "100")
    assert checked.code == 0, checked.err
    assert "mine.build on digits" in checked.out
    assert "failure" not in checked.out
    assert "robbench run --defense mine.py:build,pgd-at" in checked.err


def test_from_python_folders_may_be_text(tmp_path) -> None:
    checked = robbench.check(robbench.CheckRequest("natural", samples=8, data_dir=str(tmp_path)))
    assert not checked.failed
    with pytest.raises(robbench.UserError, match="no-models"):
        robbench.check(robbench.CheckRequest("natural", samples=8, models_dir="no-models"))


def test_the_layer_written_is_told_of_its_views(shell: Shell) -> None:
    shell("new-defense", "mine.py")
    checked = shell("check", "mine.py:build", "--samples", "40")
    assert "attack the views bpda, substitute too" in " ".join(checked.out.split())
    assert "--attacks pgd100,bpda" in checked.err


def test_a_shipped_defense_passes(shell: Shell) -> None:
    checked = shell("check", "nsq", "--samples", "40")
    assert checked.code == 0, checked.out
    assert "14 passed" in checked.out


def test_the_baseline_is_not_compared_with_itself(shell: Shell) -> None:
    checked = shell("check", "pgd-at", "--samples", "9")
    assert "robbench run --defense pgd-at --attacks pgd100 --eps-grid" in checked.err


def test_what_robbench_says_inside_a_factory_is_said_as_it_is(shell: Shell, tmp_path) -> None:
    (tmp_path / "mine.py").write_text(
        "from robbench import pretrained\ndef build():\n    return pretrained('nqs')\n"
    )
    typed = shell("check", "mine.py:build")
    assert typed.code == 2
    assert typed.err.splitlines()[1].startswith("Error: There is no defense called 'nqs'.")


def test_a_failure_is_code_3_and_is_told_even_quietly(shell: Shell, tmp_path) -> None:
    (tmp_path / "mine.py").write_text(RAISES)
    checked = shell("check", "mine.py:Net", "--quiet")
    assert checked.code == 3
    assert checked.out == ""
    assert checked.err.startswith("output: The defense mine.Net raised ValueError when given")
    loud = shell("check", "mine.py:Net", "--samples", "9")
    assert loud.code == 3
    assert "Mend what failed, then: robbench check mine.py:Net" in loud.err


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch 2.11
def test_programs_from_files_pass(shell: Shell, tmp_path) -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).eval()
    batch = torch.export.Dim("batch")
    program = torch.export.export(net, (torch.rand(2, 1, 8, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "net.pt2")
    torch.jit.save(torch.jit.trace(net, torch.rand(2, 1, 8, 8)), tmp_path / "net.pt")
    for name in ("net.pt2", "net.pt"):
        checked = shell("check", name, "--samples", "40")
        assert checked.code == 0, checked.out
        assert f"{name} on digits" in checked.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check",), "Missing argument"),
        (("check", "mine.py:build"), "robbench new-defense mine.py"),
        (("check", "nqs"), "Did you mean nsq"),
        (("check", "nsq", "--dataset", "digit"), "Did you mean digits"),
        (("check", "nsq", "--samples", "0"), "at least 1 sample"),
        (("check", "nsq", "--device", "tpu"), "not a device"),
        (("check", "<script>"), "no defense called '<script>'"),
        (("new-defense", "mine"), "Such as `robbench new-defense mine.py`"),
        (("new-defense", "no/mine.py"), "There is no folder no"),
        (("new-defense", "mine.py", "--kind", "layr"), "layr"),
    ],
)
def test_bad_input_is_one_message(shell: Shell, arguments, words) -> None:
    typed = shell(*arguments)
    assert typed.code == 2
    assert words in " ".join(typed.err.split())
    assert "Traceback" not in typed.err
