"""The README is true: its numbers stand in the committed results, and its example runs as written."""

import re
import shlex
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
TITLES = {"natural": "Natural", "pgd-at": "PGD-AT", "sq": "SQ", "nsq": "NSQ"}
DATASETS = {"digits": "digits", "mnist": "MNIST", "cifar10": "CIFAR-10"}


def _percent(row: pd.Series) -> str:
    return f"{100 * row.robust_accuracy:.1f} ({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f})"


@pytest.mark.parametrize("defense", TITLES)
def test_the_table_is_the_committed_run(defense):
    curves = pd.read_csv(CHECKOUT / "results" / "reference" / "digits" / "curves.csv")
    curve = curves[curves.defense == defense].set_index(["attack", "epsilon"])
    clean = f"{100 * curve.loc[('pgd100', 0.0)].robust_accuracy:.1f}"
    cells = [clean, *(_percent(curve.loc[(attack, 0.3)]) for attack in ("pgd100", "bpda100"))]
    assert f"| {TITLES[defense]} | {' | '.join(cells)} |" in README


@pytest.mark.parametrize("defense", ["natural", "pgd-at", "nsq"])
@pytest.mark.parametrize(
    ("dataset", "title"), [("digits", "digits"), ("mnist", "MNIST"), ("cifar10", "CIFAR-10")]
)
def test_the_costs_are_the_committed_measurement(dataset, title, defense):
    table = pd.read_csv(CHECKOUT / "results" / "bench" / dataset / "bench.csv")
    table = table[table.defense == defense]
    rows = table.set_index(table.engine.str.removeprefix("robbench ").str.removeprefix("auto: "))
    strategies = [rows.loc[name] for name in ("search", "search3", "survivors")]
    cells = [
        *(f"{row.single_runs:.2f} · {row.speed_up:.1f} ×" for row in strategies),
        *(f"{rows.loc[name].points_above_best_library:+.1f}" for name in ("search", "survivors")),
        f"{100 * rows.loc['search'].share_of_limit:.0f} %",
    ]
    assert f"| {DATASETS[dataset]} | {TITLES[defense]} | {' | '.join(cells)} |" in README


def test_the_mean_speed_up_is_the_committed_measurement():
    tables = (pd.read_csv(path) for path in (CHECKOUT / "results" / "bench").glob("*/bench.csv"))
    speed_ups = [table[table.engine == "robbench search"].speed_up for table in tables]
    mean = np.exp(np.log(pd.concat(speed_ups)).mean())
    assert f"{mean:.0f} times as fast as the fastest library's loop over the nine" in " ".join(README.split())


def test_who_collapsed_is_who_the_committed_trainings_say():
    table = pd.read_csv(CHECKOUT / "results" / "paper" / "fast-training.csv", dtype={"overfitting": str})
    digits = table[(table.dataset == "digits") & (table.epsilon == 0.3)]
    collapsed = Counter(digits.title[digits.overfitting.str.startswith("collapsed", na=False)])
    assert collapsed == {
        **dict.fromkeys(["FGSM-AT", "FAST-AT-GA"], 3),
        **dict.fromkeys(["FAST-AT", "N-FGSM", "FAST-BAT", "Free-AT"], 1),
    }
    said = (
        "on digits FGSM-AT and FAST-AT-GA collapsed in three trainings of three, FAST-AT, N-FGSM, FAST-BAT "
        "and Free-AT (which recovered in part) in one"
    )
    assert said in " ".join(README.split())


@pytest.mark.parametrize(
    ("epsilon", "attack", "defense", "said"),
    [
        (8, "pgd", "pgd-at", "PGD-20 leaves {} % of 1 000 images on PGD-AT"),
        (8, "pgd", "free-at", "Free-AT at an eighth keeps {}"),
        (8, "pgd", "nsq", "NSQ has {} % under PGD-20"),
        (16, "pgd", "fast-bat", "and {} on FAST-BAT"),
        (16, "clean", "fast-bat", "best clean accuracy ({} %"),
        (16, "clean", "pgd-at", "PGD-AT {})"),
    ],
)
def test_the_cheap_trainings_are_the_committed_ones(epsilon, attack, defense, said):
    table = pd.read_csv(CHECKOUT / "results" / "paper" / "fast-training.csv")
    found = table[(table.dataset == "cifar10") & np.isclose(table.epsilon, epsilon / 255)]
    row = found.set_index("defense").loc[defense]
    assert row.n == 1000
    assert said.format(f"{100 * row[attack]:.1f}") in " ".join(README.split())


def _section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.slow
def test_the_tutorial_runs_as_written(shell, tmp_path, monkeypatch):
    (block,) = re.findall(r"```bash\n(.*?)```", _section("Your own defense"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        typed = shell(*shlex.split(line, comments=True)[1:])
        assert typed.code == 0, f"{line}\n{typed.err}"
    (factory,) = re.findall(r"```python\n(.*?)```", _section("Your own defense"), re.DOTALL)
    written = (tmp_path / "mine.py").read_text().splitlines()
    assert set(factory.splitlines()) <= set(written)


@pytest.mark.slow
def test_the_tutorial_ends_as_it_says(shell, tmp_path, monkeypatch):
    (command,) = re.findall(
        r"^robbench (run --defense mine\.py.*)$", _section("Your own defense"), re.MULTILINE
    )
    monkeypatch.chdir(tmp_path)
    shell("new-defense", "mine.py")
    shell(*shlex.split(command), "--out", "run")
    curves = pd.read_csv("run/curves.csv").set_index(["defense", "attack", "epsilon"]).robust_accuracy
    assert curves["mine.build", "pgd20", 0.2] > curves["pgd-at", "pgd20", 0.2] + 0.1
    assert curves["mine.build", "bpda20", 0.2] < 0.05


def test_every_attack_named_is_one():
    from robbench.attacks.catalog import resolve_attack
    from robbench.attacks.names import parse_attack
    from robbench.datasets import datasets

    (block,) = re.findall(r"```\n(fgsm   pgd100.*?)```", README, re.DOTALL)
    names = block.split()
    assert len(names) > 10
    for name in names:
        resolve_attack(parse_attack(name), datasets.get("digits"), "linf", 10)


@pytest.mark.parametrize(("dataset", "steps", "epsilon"), [("mnist", 100, 0.3), ("cifar10", 20, 8 / 255)])
def test_the_papers_numbers_beside_ours_are_the_committed_runs(dataset, steps, epsilon):
    data = pd.read_csv(CHECKOUT / "results" / "paper" / "numbers.csv")
    data = data[(data.dataset == dataset) & (data.defense == "nsq") & ((data.epsilon - epsilon).abs() < 1e-9)]
    rows = data.set_index(["protocol", "attack"])
    worst = _percent(rows.loc["stronger", "worst-of"])
    for attack, words in ((f"pgd{steps}", f"PGD-{steps}"), (f"bpda{steps}-substitute", f"BPDA-{steps}")):
        stated = (
            rf"{words} \| [\d.]+ \| {re.escape(_percent(rows.loc['paper', attack]))} \| {re.escape(worst)} \|"
        )
        assert re.search(rf"\| {DATASETS[dataset]}, .*{stated}", README)
