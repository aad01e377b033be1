"""The agree command as a user types it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from robbench.agreeing.conformance import Conformance
from tests.commands import Shell

SMALL = ("--samples", 12, "--eps-grid", "0,0.3", "--quiet")


@pytest.fixture
def few_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conformance list of one line: the list has tests of its own."""
    line = Conformance(
        1, "art", "1.2", "a pitfall", "https://example.org", "present", "seen", True, "a guard"
    )
    monkeypatch.setattr("robbench.agreeing.conformance.check_conformance", lambda: [line])
    monkeypatch.setattr("robbench.agreeing.agreeing.check_conformance", lambda: [line])


@pytest.mark.usefixtures("few_probes")
def test_tables_files_and_a_second_time(shell: Shell, tmp_path: Path) -> None:
    arguments = ("agree", "--attacks", "fgsm,pgd3", *SMALL[:-1], "--out", tmp_path)
    typed = shell(*arguments)
    assert typed.code == 0, typed.err
    assert "PGD-AT under fgsm: all 3 backends are equal to the sample at every ε." in typed.err
    assert "fgsm without art: 'fgsm' does not run on the backend 'art'." in typed.err
    assert "UNEXPLAINED" not in typed.err
    assert "PGD-AT under pgd3: accuracy in %, 12 samples" in typed.out
    names = sorted(path.name for path in tmp_path.iterdir())
    tables = ["causes", "curves", "ladder", "pairs", "points"]
    written = [
        "agreement-digits.json",
        "agreement-digits.md",
        "agreement-digits.png",
        "conformance.csv",
        "runs",
    ]
    assert names == sorted([*written, *(f"{name}-digits.csv" for name in tables)])
    pairs = pd.read_csv(tmp_path / "pairs-digits.csv")
    pgd = pairs.loc[pairs["attack"] == "pgd3"]
    assert len(pgd) == 6
    assert set(pgd["without_start"]) == {0}  # equal to the sample where nothing is random
    assert (pairs.loc[pairs["attack"] == "fgsm", "verdict"] == "equal").all()
    document = json.loads((tmp_path / "agreement-digits.json").read_text())
    assert document["unexplained"] == 0
    assert len(document["pairs"]) == len(pairs)
    assert str(tmp_path) not in (tmp_path / "agreement-digits.md").read_text()
    before = {
        path: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".csv", ".png", ".md")
    }
    jobs = [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("jobs/*.parquet"))]
    assert shell(*arguments).code == 0
    assert {path: path.read_bytes() for path in before} == before
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("jobs/*.parquet"))] == jobs
    other = shell(*arguments, "--seed", 5)
    assert other.code == 2
    assert "holds another run: seed: 0 -> 5" in " ".join(other.err.split())


@pytest.mark.usefixtures("few_probes")
def test_a_library_that_takes_other_steps_is_unexplained(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("robbench.attacks.torchattacks_adapter.step_share", lambda *_: 0.02)
    backends = ("--backends", "native,torchattacks", "--strict", "--out", tmp_path)
    typed = shell("agree", "--defense", "natural", "--attacks", "pgd5", *backends, *SMALL)
    assert typed.code == 3
    assert typed.out == ""
    assert "UNEXPLAINED differences between backends: 1." in typed.err
    (pair,) = pd.read_csv(tmp_path / "pairs-digits.csv").to_dict("records")
    assert pair["verdict"] == "unexplained"
    assert "differ even without a random start" in pair["why"]


@pytest.mark.usefixtures("few_probes")
def test_a_hostile_defense_and_no_native(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "<script>.py"
    path.write_text(
        "import torch\nfrom torch import nn\n\ndef build():\n    torch.manual_seed(0)\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n"
    )
    out = tmp_path / "out"
    names = ("--defense", f"{path}:build", "--attacks", "square:queries=20")
    typed = shell("agree", *names, *SMALL, "--out", out)
    assert typed.code == 0, typed.err
    assert "<script>" not in (out / "agreement-digits.md").read_text()
    assert not (out / "ladder-digits.csv").exists()


@pytest.mark.usefixtures("few_probes")
def test_a_defense_that_fails_in_bfloat16_is_compared_without_it(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Float32Only(nn.Linear):\n"
        "    def forward(self, images):\n        logits = super().forward(images.flatten(1))\n"
        "        assert logits.dtype == torch.float32\n        return logits\n\n"
        "def build():\n    torch.manual_seed(0)\n    return Float32Only(64, 10)\n"
    )
    names = ("--defense", f"{tmp_path / 'mine.py'}:build", "--attacks", "fgsm")
    typed = shell("agree", *names, *SMALL, "--out", tmp_path / "out")
    assert typed.code == 0, typed.err
    page = (tmp_path / "out" / "agreement-digits.md").read_text()
    assert "takes its steps in float32" in page
    assert "bfloat16 steps instead" not in page


@pytest.mark.usefixtures("few_probes")
def test_conformance_alone(shell: Shell) -> None:
    typed = shell("agree", "--conformance")
    assert typed.code == 0
    assert "present in 1.2: seen" in typed.out


@pytest.mark.usefixtures("few_probes")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--defense", "nosuch", "--backends", "art"), "no --backends, --defense."),
        (("--out", "folder", "--device", "cpu"), "no --out, --device."),
        (("--batch-size", 4, "--data-dir", "d", "--models-dir", "m"), "no --batch-size, --data-dir, --mod"),
    ],
)
def test_conformance_refuses_what_it_would_not_read(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    typed = shell("agree", "--conformance", *arguments)
    assert typed.code == 2
    assert words in " ".join(typed.err.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--attacks", "fmn"), "nothing to compare"),
        (("--attacks", "pgd20@art"), "Leave @art out"),
        (("--backends", "native"), "nothing that native alone"),
        (("--backends", "native,artt"), "Did you mean art?"),
        (("--eps-grid", "0"), "no ε above 0"),
        (("--samples", "100000"), "360 samples"),
        (("--samples", "0"), "at least 1 sample"),
        (("--defense", "ngs"), "Did you mean nsq"),
    ],
)
def test_bad_input_is_one_message(
    shell: Shell, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    typed = shell("agree", "--out", tmp_path / "out", *arguments)
    assert typed.code == 2
    assert words in " ".join(typed.err.split())
    assert "Traceback" not in typed.err
    assert not (tmp_path / "out").exists()
