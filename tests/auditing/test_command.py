"""The audit command as a user types it."""

import json

import pytest

from robbench.models.search import PACKAGE

MODULE = """
import torch
from torch import nn
from robbench import Defense


class Binarize(nn.Module):
    def forward(self, images):
        return (images > 0.5).float()


def build():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    return Defense(network, layer=Binarize())


def centred():
    class Centred(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :10] - images.flatten(1)[:, :10].mean(0)

    return Centred()


def never():
    class Never(nn.Module):
        def forward(self, images):
            return torch.full((len(images), 11), -1.0).index_fill(1, torch.tensor(10), 1.0)

    return Never()
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MODULE)
    return path


def test_a_damaged_model_of_whom_images_are_transferred_is_no_missing_one(shell, tmp_path, mine):
    for end in ("json", "safetensors"):
        place = tmp_path / "models" / "digits" / f"natural.{end}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((PACKAGE.parent / "models" / "digits" / place.name).read_bytes())
    with place.open("ab") as weights:
        weights.write(b"x")
    models = ("--models-dir", tmp_path / "models")
    typed = shell("audit", "--defense", f"{mine}:build", "--samples", 40, *models, "--out", tmp_path / "a")
    assert typed.code == 2
    assert "natural.safetensors" in typed.err
    assert not (tmp_path / "a").exists()


def test_writes_what_it_found_and_a_repetition_computes_nothing(shell, tmp_path, mine):
    command = (
        "audit",
        "--defense",
        f"{mine}:build",
        "--samples",
        40,
        "--eps-grid",
        "0.1",
        "--out",
        tmp_path / "a",
    )
    typed = shell(*command)
    assert typed.code == 0, typed.err
    (folder,) = (tmp_path / "a").iterdir()
    assert folder.name.startswith("digits-mine.build-")
    assert {"audit.json", "audit.md", "audit.png", "probes.json"} <= {path.name for path in folder.iterdir()}
    document = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    assert len(document["checks"]) == 16
    assert {check["verdict"] for check in document["checks"]} <= {"pass", "fail", "inconclusive"}
    assert document["sentence"] in typed.err
    assert document["curves"]["worst-of"][0][0] == 0
    page = (folder / "audit.md").read_text(encoding="utf-8")
    assert "what should hold" in page
    assert "audit.png" in page
    before = (folder / "audit.json").read_bytes()
    again = shell(*command)
    assert again.code == 0
    assert "Complete already; nothing was computed." in again.err
    assert again.out == typed.out
    assert (folder / "audit.json").read_bytes() == before
    (folder / "probes.json").write_text("{}")
    damaged = shell(*command)
    assert damaged.code == 2
    assert "probes.json" in damaged.err
    assert "Traceback" not in damaged.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--defense", "nqs"], "nsq"),
        ([], "No defense"),
        (["--defense", "nsq", "--eps-grid", "0"], "above 0"),
        (["--defense", "nsq", "--eps-grid", "8"], "8/255"),
        (["--defense", "nsq", "--samples", "0"], "at least 1 sample"),
        (["--defense", "nsq", "--samples", "9999"], "360"),
        (["--defense", "nsq", "--dataset", "mnits"], "mnist"),
        (["--defense", "nsq", "--device", "abacus"], "abacus"),
        (["--defense", "MINE:never"], "none of 40 samples right"),
    ],
)
def test_refuses_what_cannot_be_and_writes_nothing(shell, tmp_path, mine, arguments, expected):
    typed = shell(
        "audit",
        "--samples",
        40,
        *(text.replace("MINE", str(mine)) for text in arguments),
        "--out",
        tmp_path / "a",
    )
    assert typed.code == 2, typed
    assert expected in typed.err
    assert "Traceback" not in typed.err
    assert not (tmp_path / "a").exists()


def test_a_place_that_is_a_file_is_refused(shell, tmp_path):
    (tmp_path / "file").write_text("mine")
    typed = shell("audit", "--defense", "natural", "--samples", 20, "--out", tmp_path / "file")
    assert typed.code == 2
    assert "not a folder" in typed.err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_defense_that_mixes_its_batch_is_said_to(shell, tmp_path, mine):
    few = ("--samples", 20, "--eps-grid", "0.1", "--out", tmp_path / "a")
    typed = shell("audit", "--defense", f"{mine}:centred,{mine}:build", *few)
    assert typed.code == 0, typed.err
    assert "mine.centred: an image's logits depend on the others of its batch" in typed.err
    assert "mine.build: an image's" not in typed.err
