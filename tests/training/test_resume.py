import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from robbench.errors import UserError
from robbench.models import find_model, weights_path
from robbench.models.weights import read_weights
from robbench.training import train
from robbench.training.checkpoint import checkpoint_path, load_checkpoint
from tests.training.small import interrupted, request

ROOT = Path(__file__).parents[2]
STEPS = "200"


def start(folder: Path, defense: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.training.small", str(folder), defense, STEPS]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_killed_and_asked_again_it_ends_with_the_same_weights(tmp_path):
    defense = "nsq"
    expected = train(request(tmp_path / "undisturbed", defense, plan={"iterations": STEPS})).sha256
    checkpoint = checkpoint_path(weights_path(tmp_path / "killed", "digits", defense))
    steps = []
    for _ in range(2):
        process = start(tmp_path / "killed", defense)
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the training ended before it could be killed"
        steps.append(load_checkpoint(checkpoint, torch.device("cpu")).step)
        assert not weights_path(tmp_path / "killed", "digits", defense).exists()
    assert 0 < steps[0] < steps[1] < int(STEPS)
    assert start(tmp_path / "killed", defense).wait() == 0
    card = find_model("digits", defense, tmp_path / "killed").card
    assert card.sha256 == expected
    assert not checkpoint.exists()


@pytest.mark.parametrize(("defense", "optimizer"), [("natural", "adam"), ("pgd-at", "sgd")])
def test_an_interruption_changes_neither_weights_nor_passes(tmp_path, defense, optimizer):
    plan = {"optimizer": optimizer, "schedule": "cyclic"}
    undisturbed = train(request(tmp_path / "undisturbed", defense, plan=plan))
    interrupted(request(tmp_path, defense, plan=plan))
    card = train(request(tmp_path, defense, plan=plan))
    assert (card.sha256, card.n_forward, card.n_backward) == (
        undisturbed.sha256, undisturbed.n_forward, undisturbed.n_backward
    )  # fmt: skip
    tensors = [
        read_weights(find_model("digits", defense, folder)) for folder in (tmp_path, tmp_path / "undisturbed")
    ]
    assert all(torch.equal(tensors[0][key], tensors[1][key]) for key in tensors[0])


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 2}, "seed is 0 there and 2 here"),
        ({"plan": {"iterations": 50}}, "iterations is 40 there and 50 here"),
        ({"network": "madry_mnist"}, "network is digits_cnn there and madry_mnist here"),
    ],
)
def test_a_checkpoint_of_another_request_is_refused(tmp_path, changes, difference):
    checkpoint = interrupted(request(tmp_path))
    content = checkpoint.read_bytes()
    with pytest.raises(UserError, match=f"of another training: {difference}") as caught:
        train(request(tmp_path, **changes))
    assert "--restart" in caught.value.hint
    assert checkpoint.read_bytes() == content
    assert train(request(tmp_path, restart=True, **changes)).seed == changes.get("seed", 0)
    assert not checkpoint.exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    checkpoint = interrupted(request(tmp_path))
    checkpoint.write_bytes(content)
    with pytest.raises(UserError, match=r"natural.checkpoint cannot be read"):
        train(request(tmp_path))


class Malicious:
    def __reduce__(self):
        return (os.system, ("touch pwned",))


def test_code_in_a_checkpoint_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = interrupted(request(tmp_path / "models"))
    torch.save({"identity": Malicious()}, checkpoint)
    with pytest.raises(UserError, match="cannot be read"):
        train(request(tmp_path / "models"))
    assert not (tmp_path / "pwned").exists()
