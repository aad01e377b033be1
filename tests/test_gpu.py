"""What a GPU asks of runs and trainings, on a pretended one: one device, and a host that seldom waits."""

from pathlib import Path

import pandas as pd
import pytest
import torch

import robbench
from tests.oracles import ConstantModel
from tests.pretended_gpu import Wait, pretended_gpu


def _rows(folder: Path) -> pd.DataFrame:
    rows = pd.read_parquet(folder / "outcomes.parquet")
    return rows.sort_values(["attack", "sample_index"]).reset_index(drop=True)


def _within(waits: list[Wait], function: str) -> list[Wait]:
    return [wait for wait in waits if f"robbench.{function}" in wait.within]


def test_the_pretended_gpu_refuses_and_notes_what_a_real_one_would():
    with pretended_gpu() as waits:
        here = torch.ones(3, device="cuda")
        assert here.is_cuda
        assert here.device == torch.device("cuda", 0)
        assert (here * 2 + torch.tensor(1.0)).shape == (3,)
        assert not waits
        with pytest.raises(RuntimeError, match="one device"):
            here.add(torch.ones(3))
        with pytest.raises(TypeError, match="numpy"):
            here.numpy()
        assert here.sum().item() == 3
        assert here.cpu().tolist() == [1, 1, 1]
        assert here[here > 0].shape == (3,)
    assert [wait.why for wait in waits] == ["_local_scalar_dense", "download", "index"]


@pytest.mark.parametrize(
    ("sweep", "norm", "attacks"),
    [
        ("auto", "linf", "pgd3:restarts=2,bpda3-cw,transfer:source=natural"),
        ("search", "l2", "bpda3,noise"),
        ("survivors", "linf", "pgd3@torchattacks,pgd3@foolbox,pgd3@art,square@torchattacks:queries=3"),
    ],
)
def test_a_run_has_the_rows_of_a_cpu(shell, tmp_path, sweep, norm, attacks):
    asked = ["run", "--defense", "nsq", "--attacks", attacks, "--eps-grid", "0,0.1,0.3", "--samples", 8]
    asked += ["--sweep", sweep, "--norm", norm, "--precision", "float32", "--quiet"]
    assert shell(*asked, "--device", "cpu", "--out", tmp_path / "cpu").code == 0
    with pretended_gpu() as waits:
        typed = shell(*asked, "--device", "cuda", "--out", tmp_path / "gpu")
    assert typed.code == 0, typed.err
    expected, found = _rows(tmp_path / "cpu"), _rows(tmp_path / "gpu")
    assert expected.broken.map(any).any()
    pd.testing.assert_frame_equal(found, expected)
    assert waits
    assert not _within(waits, "sweep.engine._advance"), "a step reads nothing"


def test_the_host_waits_once_for_four_steps_in_which_no_attempt_ends():
    images, labels = torch.rand(5, 1, 8, 8), torch.ones(5, dtype=torch.int64)
    waits = {}
    for steps in (4, 24):
        with pretended_gpu() as noted:
            data, attack = (images, labels), f"noise{steps}"
            robbench.evaluate(ConstantModel(), data, attack, [0, 0.1, 0.2], sweep="survivors", device="cuda")
        waits[steps] = len(_within(noted, "sweep.engine._settle"))
    # Twenty steps more at either ε, in none of which anything is found.
    assert waits[24] - waits[4] == 2 * 20 / 4


@pytest.mark.parametrize("defense", ["nsq", "trades", "fast-bat", "free-at"])
def test_a_training_reads_nothing_between_two_reports(shell, tmp_path, defense):
    asked = ["train", "--defense", defense, "--set", "iterations=12", "--set", "batch_size=16", "--watch"]
    with pretended_gpu() as waits:
        typed = shell(*asked, "--device", "cuda", "--models-dir", tmp_path, "--quiet")
    assert typed.code == 0, typed.err
    reads = [wait.why for wait in _within(waits, "training.running._take_step")]
    assert reads == ["upload"], "the order of the epoch's images, once"
