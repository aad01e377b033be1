"""``robbench reproduce`` as typed: what it runs, what it reuses, and what it says is missing."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from robbench.attacks.gradient import PGD
from robbench.models import card_path, find_model
from robbench.models.watch_record import Collapse, Look, WatchRecord


def contents(folder: Path, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob(pattern))}


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in sorted(folder.rglob("jobs/*.parquet"))}


def test_a_target_is_run_drawn_and_described(reproducer):
    typed = reproducer("tiny", "--samples", 8)
    assert typed.code == 0, typed.err
    data = pd.read_csv(reproducer.folder / "tiny.csv")
    assert set(data["state"]) == {"done"}
    assert set(data["n"]) == {8}
    assert set(data["attack"]) == {"pgd2", "bpda2-substitute", "bpda2", "bpda2-smooth", "worst-of"}
    assert set(data.loc[data["protocol"] == "paper", "strategy"]) == {"independent"}
    assert (reproducer.folder / "tiny.png").stat().st_size > 10_000
    page = (reproducer.folder / "README.md").read_text(encoding="utf-8")
    assert "the first 8 of 360 test images only" in page
    assert "robbench reproduce tiny --samples 8" in page
    assert str(reproducer.folder) not in page
    assert "not run" in page, "what the paper states and we lack"


@pytest.mark.parametrize("other", [("--samples", 5), ("--train",)])
def test_from_results_runs_nothing_and_takes_nothing_to_run(reproducer, other):
    typed = reproducer("tiny", "--from-results", *other)
    assert typed.code == 2
    assert f"runs nothing, so there is no {other[0]}" in typed.err


def test_again_computes_nothing_fewer_neither_more_does(reproducer):
    reproducer("tiny", "--samples", 8)
    before = times(reproducer.folder)
    reproducer("tiny", "--samples", 8)
    reproducer("tiny", "--samples", 5)
    assert times(reproducer.folder) == before
    reproducer("tiny", "--samples", 9)
    assert len(times(reproducer.folder)) == 2 * len(before)
    assert set(pd.read_csv(reproducer.folder / "tiny.csv")["n"]) == {9}


def test_what_an_earlier_revision_of_an_attack_found_is_computed_anew(reproducer, monkeypatch):
    reproducer("tiny", "--samples", 8)
    before = times(reproducer.folder)
    monkeypatch.setattr(PGD, "revision", 2)
    reproducer("tiny", "--samples", 8)
    assert len(times(reproducer.folder)) == 2 * len(before)
    monkeypatch.setattr("robbench.attacks.catalog.is_installed", lambda attack: False)
    monkeypatch.setattr(PGD, "revision", 3)
    reproducer("tiny", "--samples", 8)
    assert len(times(reproducer.folder)) == 2 * len(before), "without its library what is there is taken"


def test_from_results_gives_the_same_bytes_without_torch(reproducer):
    reproducer("tiny", "fig2", "fig8", "--samples", 8)
    before, figures = contents(reproducer.folder, "*.csv"), contents(reproducer.folder, "*.png")
    for path in reproducer.folder.glob("*.png"):
        path.unlink()
    for name in ("tiny.csv", "README.md"):
        (reproducer.folder / name).unlink()
    code = (
        "import sys, pathlib\n"
        "from tests.reproducing.conftest import Tiny\n"
        "from robbench.reproducing import ReproduceRequest, register_target, reproduce\n"
        "register_target(Tiny)\n"
        "names = ('tiny', 'fig2', 'fig8')\n"
        "reproduce(ReproduceRequest(names, pathlib.Path(sys.argv[1])))\n"
        "print('torch' in sys.modules)\n"
    )
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code.replace("tests.reproducing.conftest", "conftest"), reproducer.folder],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.stdout == "False\n"
    assert contents(reproducer.folder, "*.csv") == before
    # matplotlib's layout solver may move an edge by a rounding: pictures are there, not bit for bit.
    assert contents(reproducer.folder, "*.png").keys() == figures.keys()


def test_deleting_a_job_recomputes_just_that(reproducer):
    reproducer("tiny", "--samples", 8)
    before, tables = times(reproducer.folder), contents(reproducer.folder, "*.csv")
    lost = next(reproducer.folder.rglob("jobs/*.parquet"))
    lost.unlink()
    # Fewer are asked for: the run that lost a job is mended as it was.
    typed = reproducer("tiny", "--samples", 4)
    assert typed.code == 0, typed.err
    after = times(reproducer.folder)
    assert {name for name in after if after[name] != before[name]} == {lost.name}
    assert contents(reproducer.folder, "*.csv") == tables


def test_a_missing_model_is_an_error_that_says_what_to_type(reproducer):
    typed = reproducer("lacking", "--samples", 8)
    assert typed.code == 2
    assert "robbench train --defense nsq --dataset digits --models-dir models/nowhere" in typed.err
    assert "--partial" in typed.err
    assert not list(reproducer.folder.rglob("run.json"))


def test_a_missing_model_is_trained_where_that_is_asked_for_and_then_found(reproducer, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    typed = reproducer("trained", "--samples", 8, "--train", "--models-dir", models)
    assert typed.code == 0, typed.err
    assert "Training nsq on digits" in typed.err
    card = find_model("digits", "nsq", models / "short").card
    assert (card.budget, card.seed) == ("epochs=1", 0)
    assert set(pd.read_csv(reproducer.folder / "trained.csv")["state"]) == {"done"}
    (row,) = pd.read_csv(reproducer.folder / "trainings.csv").to_dict("records")
    assert (row["folder"], row["sha256"], row["iterations"]) == ("short", card.sha256, card.iterations)
    again = reproducer("trained", "--samples", 8, "--train", "--models-dir", models)
    assert "Training nsq" not in again.err


def test_partial_says_what_was_not_run(reproducer):
    typed = reproducer("lacking", "--samples", 8, "--partial")
    assert typed.code == 0, typed.err
    data = pd.read_csv(reproducer.folder / "lacking.csv")
    missing = data.loc[data["state"] == "not run"]
    assert set(missing["defense"]) == {"nsq"}
    assert missing[["n", "robust_accuracy", "ci_low"]].isna().all(axis=None)
    assert "Not run: NSQ on Digits." in typed.err
    assert "models/nowhere" in (reproducer.folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (("--samples", 0), "at least 1 sample, not 0"),
        (("--models-dir", "nowhere"), "The models directory, nowhere, is not there"),
        (("--device", "cudaa"), "'cudaa' is not a device"),
    ],
)
def test_partial_forgives_no_mistake_in_what_was_asked(shell, tiny_targets, tmp_path, mistake, words):
    typed = shell("reproduce", "tiny", "--partial", *mistake, "--out", tmp_path / "paper")
    assert typed.code == 2
    assert words in " ".join(typed.err.split())
    assert not (tmp_path / "paper").exists()


def test_what_shares_a_run_is_written_anew_in_every_format_there_is(reproducer):
    reproducer("tiny", "--samples", 8, "--format", "svg")
    before = contents(reproducer.folder, "tiny.*")
    typed = reproducer("lacking", "--samples", 9, "--partial")
    assert typed.code == 0, typed.err
    data = pd.read_csv(reproducer.folder / "tiny.csv")
    shared = (data["defense"] == "natural") & (data["protocol"] == "paper")
    assert (set(data.loc[shared, "n"]), set(data.loc[~shared, "n"])) == ({9}, {8})
    after = contents(reproducer.folder, "tiny.*")
    assert after.keys() == before.keys() == {"tiny.csv", "tiny.svg"}
    assert after["tiny.svg"] != before["tiny.svg"]


def copy_card(defense: str, models: Path) -> Path:
    """Copy a shipped model, and return its card's place."""
    model = find_model("digits", defense)
    folder = models / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(model.weights, folder)
    return Path(shutil.copy(card_path(model.weights), folder))


def test_a_training_by_another_recipe_is_told(reproducer, tmp_path):
    card, _ = [copy_card(defense, tmp_path / "models") for defense in ("natural", "nsq")]
    content = json.loads(card.read_text())
    content["plan"] |= {"iterations": 100, "schedule": "cyclic"}
    card.write_text(json.dumps(content))
    reproducer("tiny", "--samples", 8, "--models-dir", tmp_path / "models")
    page = (reproducer.folder / "README.md").read_text()
    told = "not trained by its recipe: 100 iterations instead of 3,000; schedule cyclic instead of cosine."
    assert f"Natural on Digits was {told}" in page
    assert "NSQ on Digits was" not in page


def test_a_training_that_its_collapse_ended_is_told(reproducer, tmp_path):
    card, _ = [copy_card(defense, tmp_path / "models") for defense in ("natural", "nsq")]
    content = json.loads(card.read_text())
    look = Look(1200, 80.0, 0.9, 0.9, 0.0)
    watch = WatchRecord(0.3, 100, (look,), Collapse(look, look), stopped=True)
    card.write_text(json.dumps({**content, "samples": 120_000, "watch": asdict(watch)}))
    reproducer("tiny", "--samples", 8, "--models-dir", tmp_path / "models")
    page = (reproducer.folder / "README.md").read_text()
    assert "not trained by its recipe: 1,200 iterations instead of 3,000." in page


@pytest.mark.parametrize(("name", "near"), [("fig33", "fig3"), ("<script>", "all"), ("../../x", "all")])
def test_an_unknown_target_is_refused_with_the_nearest(reproducer, name, near):
    typed = reproducer(name)
    assert typed.code == 2
    assert near in typed.err
    assert not reproducer.folder.exists()


def test_nothing_to_draw_from_is_told(reproducer):
    typed = reproducer("tiny", "--from-results")
    assert typed.code == 2
    assert "Leave --from-results out" in typed.err


def test_a_damaged_file_on_the_shelf_is_named(reproducer):
    assert reproducer("tiny", "fig2", "fig8", "--samples", 8).code == 0
    for name in ("fig2.csv", "fig8.csv", "pictures/fig8.parquet", "trainings.csv"):
        path = reproducer.folder / name
        whole = path.read_bytes()
        for left in (b"", whole[:100]):
            path.write_bytes(left)
            typed = reproducer("fig2", "fig8", "--from-results")
            assert typed.code == 2
            assert f"{path} cannot be read" in typed.err.replace("\n", " ")
        path.write_bytes(whole)


def test_an_unknown_format_is_refused_before_anything_runs(reproducer):
    typed = reproducer("tiny", "--format", "gif")
    assert typed.code == 2
    assert not reproducer.folder.exists()


def test_without_a_target_they_are_listed(reproducer):
    typed = reproducer()
    assert typed.code == 0
    assert "0 of 5" in typed.out
    order = [typed.out.index(f"│ {name} ") for name in ("fig2", "fig3", "fig10", "digits")]
    assert order == sorted(order)
