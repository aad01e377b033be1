import json

import pandas as pd
import pytest

from robbench.bench import request as request_module
from robbench.bench.comparison import compare_engines
from robbench.errors import UserError

SMALL = ("bench", "--defense", "natural", "--attack", "pgd4", "--samples", 12, "--repeats", 1)


def test_writes_a_table_and_where_it_comes_from(shell, tmp_path):
    out = tmp_path / "new" / "bench"
    typed = shell(*SMALL, "--eps-grid", "0,0.1,0.2", "--sweep", "auto,search", "--out", out)
    assert typed.code == 0, typed.err
    assert "torchattacks" in typed.out
    assert sorted(path.name for path in out.iterdir()) == ["bench.csv", "bench.json"]
    table = pd.read_csv(out / "bench.csv")
    engines = ["torchattacks", "foolbox", "art", "robbench auto: survivors", "robbench search"]
    assert table["engine"].tolist() == engines
    assert max(table["speed_up"].tolist()) > 0
    document = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    assert document["command"].startswith("robbench bench --defense natural")
    assert {"versions", "git_commit", "device", "platform", "started", "dataset"} <= document.keys()
    assert [row["engine"] for row in document["engines"]] == engines
    measured = document["defenses"]["natural"]
    assert set(measured["robust_accuracy"]) == set(engines)
    assert [epsilon for epsilon, _ in measured["robust_accuracy"]["art"]] == [0.0, 0.1, 0.2]
    assert {name: len(taken) for name, taken in measured["seconds"].items()} == {
        "torchattacks": 1, "foolbox": 1, "art": 1, "robbench auto": 1, "robbench search": 1,
    }  # fmt: skip
    assert document["epsilons"] == [0.0, 0.1, 0.2]
    assert document["load"].keys() == {"threads", "cores", "average_at_start", "average_at_end"}
    assert min(table["work_seconds"].tolist()) > 0


def test_what_was_measured_is_written_though_the_next_defense_fails(shell, tmp_path, monkeypatch):
    def compare(bench, defense, say):
        if defense == "sq":
            raise UserError("The second one cannot be measured.")
        return compare_engines(bench, defense, say)

    monkeypatch.setattr("robbench.bench.running.compare_engines", compare)
    asked = (*SMALL, "--eps-grid", "0,0.1", "--libraries", "none", "--defense", "sq", "--out", tmp_path)
    assert shell(*asked).code == 2
    assert pd.read_csv(tmp_path / "bench.csv")["defense"].tolist() == ["natural"]
    assert set(json.loads((tmp_path / "bench.json").read_text())["defenses"]) == {"natural"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.csv", "bench.json"]


def test_measures_scaling(shell, tmp_path):
    typed = shell(*SMALL, "--scaling", "--sweep", "search", "--out", tmp_path)
    assert typed.code == 0, typed.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scaling.csv", "scaling.json", "scaling.png"]
    sizes = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))["sizes"]
    assert len(sizes) == len(pd.read_csv(tmp_path / "scaling.csv")) > 8


def test_a_missing_library_is_left_out_and_said(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(request_module, "is_installed", lambda library: library == "foolbox")
    typed = shell(*SMALL, "--eps-grid", "0,0.1", "--out", tmp_path)
    assert typed.code == 0, typed.err
    assert "torchattacks is not installed and left out" in typed.err
    assert "art is not installed and left out" in typed.err
    assert "foolbox is not" not in typed.err
    table = pd.read_csv(tmp_path / "bench.csv")
    assert table["engine"].tolist() == ["foolbox", "robbench auto: survivors"]
    assert json.loads((tmp_path / "bench.json").read_text())["libraries_missing"] == ["torchattacks", "art"]


@pytest.mark.parametrize("library", ["none", "art"])
def test_measures_the_libraries_asked_for(shell, tmp_path, library):
    typed = shell(*SMALL, "--eps-grid", "0,0.1", "--libraries", library, "--out", tmp_path)
    assert typed.code == 0, typed.err
    document = json.loads((tmp_path / "bench.json").read_text())
    assert len(document["engines"]) == (1 if library == "none" else 2)
    assert (document["engines"][-1]["speed_up"] is None) == (library == "none")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--attack", "pgd4-cw"], "not the same attack"),
        (["--attack", "fgsm"], "not the same attack"),
        (["--attack", "pgd4:restarts=3"], "not the same attack"),
        (["--attack", "bpda4"], "not the same attack"),
        (["--attack", "pgd4@foolbox"], "not the same attack"),
        (["--attack", "transfer4:source=natural"], "not the same attack"),
        (["--attack", "pgd4,pgd5"], "one attack"),
        (["--attack", "pdg4"], "pgd"),
        (["--sweep", "serach"], "search"),
        (["--sweep", "auto,search", "--scaling"], "one strategy"),
        (["--libraries", "foolbocks"], "foolbox"),
        (["--libraries", "none,art"], "'none' stands alone"),
        (["--library-points", "0"], "1 to 12"),
        (["--library-points", "13"], "1 to 12"),
        (["--precision", "float8"], "float32"),
        (["--repeats", "0"], "at least once"),
        (["--eps-grid", "0"], "above 0"),
        (["--eps-grid", "0:x"], "range"),
        (["--samples", "0"], "at least 1 sample"),
        (["--samples", "100000"], "360"),
        (["--defense", "no-such"], "no-such"),
        (["--dataset", "mnits"], "mnist"),
        (["--device", "abacus"], "abacus"),
        (["--batch-size", "0"], "at least 1"),
        (["--steps", "3"], "--steps"),
    ],
)
def test_refuses_what_cannot_be_and_writes_nothing(shell, tmp_path, arguments, expected):
    typed = shell("bench", "--defense", "natural", "--samples", 8, *arguments, "--out", tmp_path / "out")
    assert typed.code == 2, typed
    assert expected in typed.err
    assert "Traceback" not in typed.err
    assert not list(tmp_path.iterdir())


def test_refuses_a_place_that_is_a_file(shell, tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        typed = shell(*SMALL, "--out", out)
        assert typed.code == 2
        assert "not a folder" in typed.err
    assert (tmp_path / "file").read_text() == "mine"


def test_quiet_prints_nothing(shell, tmp_path):
    typed = shell(*SMALL, "--eps-grid", "0,0.1", "--libraries", "none", "--quiet", "--out", tmp_path)
    assert (typed.code, typed.out, typed.err) == (0, "", "")
