"""The README is true: its numbers stand in the committed results, and its example runs as written."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
TITLES = {"natural": "Natural", "pgd-at": "PGD-AT", "sq": "SQ", "nsq": "NSQ"}


def _percent(row: pd.Series) -> str:
    return f"{100 * row.robust_accuracy:.1f} ({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f})"


@pytest.mark.parametrize("defense", TITLES)
def test_the_table_is_the_committed_run(defense):
    curves = pd.read_csv(CHECKOUT / "results" / "reference" / "digits" / "curves.csv")
    curve = curves[curves.defense == defense].set_index(["attack", "epsilon"])
    clean = f"{100 * curve.loc[('pgd100', 0.0)].robust_accuracy:.1f}"
    cells = [clean, *(_percent(curve.loc[(attack, 0.3)]) for attack in ("pgd100", "bpda100"))]
    assert f"| {TITLES[defense]} | {' | '.join(cells)} |" in README


@pytest.mark.parametrize(
    ("engine", "column", "label", "shape"),
    [
        ("robbench search", "single_runs", "| cost of `search` in single runs", "{:.2f}"),
        ("robbench auto", "single_runs", "| cost of `auto` (here `survivors`) in single runs", "{:.2f}"),
        ("robbench search", "speed_up", "| `search`: times as fast as the fastest library", "{:.1f}"),
        ("robbench auto", "speed_up", "| `auto`: times as fast as the fastest library", "{:.1f}"),
        (
            "robbench search",
            "points_above_best_library",
            "| `search`: most points above the best library",
            "{:+.1f}",
        ),
        (
            "robbench auto",
            "points_above_best_library",
            "| `auto`: most points above the best library",
            "{:+.1f}",
        ),
    ],
)
def test_the_costs_are_the_committed_measurement(engine, column, label, shape):
    table = pd.read_csv(CHECKOUT / "results" / "bench" / "digits" / "bench.csv")
    rows = table[table.engine.str.startswith(engine)].set_index("defense")[column]
    cells = [shape.format(rows[defense]) for defense in ("natural", "pgd-at", "nsq")]
    assert f"{label} | {' | '.join(cells)} |" in README


def test_the_example_defense_runs_as_written(shell, tmp_path, monkeypatch):
    (block,) = re.findall(r"`mine\.py`:\n\n```python\n(.*?)```", README, re.DOTALL)
    (command,) = re.findall(r"^robbench (run --defense mine\.py.*)$", README, re.MULTILINE)
    (tmp_path / "mine.py").write_text(block)
    monkeypatch.chdir(tmp_path)
    typed = shell(*shlex.split(command), "--samples", "60")
    assert typed.code == 0, typed.err
    assert "mine.build" in typed.out


def test_every_attack_named_is_one():
    from robbench.attacks.catalog import resolve_attack
    from robbench.attacks.names import parse_attack
    from robbench.datasets import datasets

    (block,) = re.findall(r"```\n(fgsm   pgd100.*?)```", README, re.DOTALL)
    names = block.split()
    assert len(names) > 10
    for name in names:
        resolve_attack(parse_attack(name), datasets.get("digits"), "linf", 10)
