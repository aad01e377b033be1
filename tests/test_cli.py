"""The commands as a user types them: what they print, what they leave, and what they refuse."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.commands import start

QUICK = (
    "run",
    "--defense",
    "natural,nsq",
    "--attacks",
    "pgd5,bpda5",
    "--eps-grid",
    "0,0.1,0.2",
    "--samples",
    "40",
)
FEW = ("--attacks", "pgd2", "--eps-grid", "0,0.1", "--samples", 8)

MODULE = """
import torch
from torch import nn
from robbench import Defense


class Quantizer(nn.Module):
    def forward(self, images):
        return (images > 0.5).float()


def network(classes=10):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))


def plain():
    return network()


def layered():
    return Defense(network(), layer=Quantizer())


def few():
    return network(3)


def raises():
    raise RuntimeError("no weights here")


def nothing():
    return None


class Strange(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, images):
        return self.answer(images)


def nan():
    return Strange(lambda images: torch.full((len(images), 10), torch.nan))


def shape():
    return Strange(lambda images: images)


def fails():
    return Strange(lambda images: 1 / 0)


def centred():
    return Strange(lambda images: images.flatten(1)[:, :10] - images.flatten(1)[:, :10].mean(0))


def noisy():
    return Strange(lambda images: images.flatten(1)[:, :10] + torch.rand(len(images), 10))
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MODULE)
    return path


def test_help_imports_neither_torch_nor_an_attack_library():
    code = (
        "import sys, robbench.cli\n"
        "sys.argv = ['robbench', 'run', '--help']\n"
        "try:\n    robbench.cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'torchattacks', 'foolbox', 'art', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--eps-grid" in done.stdout


def test_what_needs_no_torch_does_not_wait_for_it(tmp_path):
    for arguments in (
        ["list", "figures"],
        ["list", "models"],
        ["plot", str(tmp_path)],
        ["report", str(tmp_path)],
    ):
        code = (
            "import sys, robbench.cli\n"
            f"sys.argv = ['robbench', *{arguments!r}]\n"
            "try:\n    robbench.cli.main()\nexcept SystemExit:\n    pass\n"
            "sys.exit('torch' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, arguments


def test_a_terminal_without_greek_letters_gets_question_marks():
    done = subprocess.run(
        [sys.executable, "-m", "robbench", "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert "over a grid of ?" in done.stdout


def test_every_command_has_its_place_in_the_help(shell):
    shown = shell("--help").out
    assert "Your own defense" in shown
    assert "─ Commands ─" not in shown, "a command names no panel"


def test_the_help_of_agree_says_how_many_samples_it_takes(shell):
    from robbench.agreeing.request import SAMPLES

    assert f"Default: {SAMPLES}." in " ".join(shell("agree", "--help").out.replace("│", " ").split())


def test_a_run_says_where_an_attack_has_no_gradient_to_follow(shell, tmp_path):
    """Whoever does not think of masking would take what PGD leaves of a quantizer for robustness."""
    (tmp_path / "mine.py").write_text(MODULE)
    defenses = f"{tmp_path / 'mine.py'}:layered,nsq"
    said = shell(
        "run",
        "--defense",
        defenses,
        "--attacks",
        "fgsm,pgd5,bpda5",
        "--samples",
        4,
        "--out",
        tmp_path / "run",
    ).err
    assert "mine.layered under fgsm, pgd5: the gradient is exactly zero" in " ".join(said.split())
    assert said.count("exactly zero") == 1, "said of what has a gradient, too"
    for command in (("plot",), ("compare", "--baseline", "nsq")):
        later = " ".join(shell(command[0], tmp_path / "run", *command[1:]).err.split())
        assert "mine.layered under fgsm, pgd5: the gradient is exactly zero" in later, command


def test_a_run_leaves_rows_curves_and_provenance_and_says_what_to_do_next(shell, tmp_path):
    out = tmp_path / "run"
    typed = shell(*QUICK, "--out", out)
    assert typed.code == 0
    assert "bpda5 on natural has no layer to approximate: it is pgd5, computed once." in typed.err
    assert f"robbench plot {out}" in typed.err
    assert "at ε = 0.2" in typed.out
    outcomes = pd.read_parquet(out / "outcomes.parquet")
    assert len(outcomes) == 4 * 40
    curves = pd.read_csv(out / "curves.csv")
    assert len(curves) == 6 * 3  # worst-of is a curve of each defense
    natural = curves[curves.defense == "natural"].set_index(["attack", "epsilon"]).robust_accuracy
    assert (natural["pgd5"] == natural["bpda5"]).all()
    run = json.loads((out / "run.json").read_text())
    assert run["state"] == "complete"
    assert set(run["defenses"]) == {"natural", "nsq"}
    assert all(len(entry["weights_sha256"]) == 64 for entry in run["defenses"].values())
    assert {"torch", "robbench"} <= set(run["versions"])


def test_the_same_command_again_says_so_and_computes_nothing(shell, tmp_path):
    shell(*QUICK, "--out", tmp_path / "run")
    stamp = (tmp_path / "run" / "outcomes.parquet").stat().st_mtime_ns
    again = shell(*QUICK, "--out", tmp_path / "run")
    assert again.code == 0
    assert "complete already" in again.err
    assert (tmp_path / "run" / "outcomes.parquet").stat().st_mtime_ns == stamp


def test_deleting_the_rows_of_one_job_computes_just_that_again(shell, tmp_path):
    out = tmp_path / "run"
    shell(*QUICK, "--out", out)
    rows = (out / "outcomes.parquet").read_bytes()
    lost, *kept = sorted((out / "jobs").iterdir())
    stamps = [path.stat().st_mtime_ns for path in kept]
    lost.unlink()
    again = shell(*QUICK, "--out", out)
    assert again.code == 0
    assert "complete already" not in again.err
    assert lost.exists()
    assert [path.stat().st_mtime_ns for path in kept] == stamps
    assert (out / "outcomes.parquet").read_bytes() == rows


def test_another_sweep_in_the_same_folder_is_refused(shell, tmp_path):
    shell(*QUICK, "--out", tmp_path / "run")
    other = shell(*QUICK, "--out", tmp_path / "run", "--seed", "1")
    assert other.code == 2
    assert "seed" in other.err


def test_runs_get_folders_of_their_own_and_are_drawn_together(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("run", "--attacks", "pgd3", "--eps-grid", "0,0.1", "--samples", "20")
    assert shell(*small, "--defense", "natural").code == 0
    assert shell(*small, "--defense", "sq").code == 0
    assert len(list((tmp_path / "results").iterdir())) == 2
    drawn = shell("plot", "results", "--format", "png,svg")
    assert drawn.code == 0, drawn.err
    assert {path.suffix for path in (tmp_path / "results").rglob("*.*g")} >= {".png", ".svg"}


def test_quiet_prints_nothing(shell, tmp_path):
    typed = shell(*QUICK, "--out", tmp_path / "run", "--quiet")
    assert (typed.code, typed.out, typed.err) == (0, "", "")


def test_no_colour_and_no_wrapping_in_a_pipe():
    out, _ = start("list", "datasets").communicate(timeout=120)
    assert "\x1b[" not in out
    assert "CIFAR-10" in out
    assert all(line.startswith(("│", "┃", "┏", "┡", "└", "Datasets")) for line in out.splitlines())


def test_without_a_grid_it_looks_at_clean_and_the_standard_epsilon(shell, tmp_path):
    assert shell("run", "--defense", "natural", "--attacks", "fgsm", "--out", tmp_path / "run").code == 0
    curves = pd.read_csv(tmp_path / "run" / "curves.csv")
    assert curves.epsilon.tolist() == [0.0, 0.3]
    assert (curves.n == 360).all()


def test_a_config_file_is_the_same_command(shell, tmp_path):
    config = tmp_path / "sweep.toml"
    config.write_text(
        'defenses = ["natural", "nsq"]\nattacks = ["pgd5", "bpda5"]\neps_grid = [0, 0.1, 0.2]\nsamples = 40\n'
    )
    shell(*QUICK, "--out", tmp_path / "run")
    again = shell("run", "--config", config, "--out", tmp_path / "run")
    assert "complete already" in again.err, again.err


@pytest.mark.parametrize(
    ("factory", "views"),
    [("plain", {"pgd5": "exact", "bpda5": "exact"}), ("layered", {"pgd5": "exact", "bpda5": "bpda"})],
)
def test_your_own_defense(shell, tmp_path, mine, factory, views):
    typed = shell(
        "run",
        "--defense",
        f"{mine}:{factory}",
        "--attacks",
        "pgd5,bpda5",
        "--samples",
        "40",
        "--out",
        tmp_path / "run",
    )
    assert typed.code == 0, typed.err
    outcomes = pd.read_parquet(tmp_path / "run" / "outcomes.parquet")
    assert dict(zip(outcomes.attack, outcomes.view, strict=True)) == views


def test_a_randomized_defense_is_judged_by_the_mean_of_several_draws(shell, tmp_path, mine):
    mean = shell("run", "--defense", f"{mine}:noisy,natural", *FEW, "--out", tmp_path / "mean")
    assert "noisy is randomized: what is attacked and judged is the mean of 10 forward passes" in mean.err
    assert "natural is randomized" not in mean.err
    manifest = json.loads((tmp_path / "mean" / "run.json").read_text(encoding="utf-8"))
    assert manifest["spec"]["draws"] == 10
    assert [about.get("draws") for about in manifest["defenses"].values()] == [10, None]
    single = shell("run", "--defense", f"{mine}:noisy", *FEW, "--draws", 1, "--out", tmp_path / "single")
    assert "a single forward pass decides" in single.err


def test_a_defense_that_mixes_its_batch_is_said_to(shell, tmp_path, mine):
    typed = shell("run", "--defense", f"{mine}:centred,natural", *FEW, "--out", tmp_path / "run")
    assert "mine.centred: an image's logits depend on the others of its batch" in typed.err
    assert "natural: an image's" not in typed.err


def test_draws_are_no_part_of_a_run_without_a_randomized_defense(shell, tmp_path):
    shell("run", "--defense", "natural", *FEW, "--out", tmp_path / "run")
    again = shell("run", "--defense", "natural", *FEW, "--draws", 3, "--out", tmp_path / "run")
    assert "complete already" in again.err


WRONG = {
    "unknown defense": (("--defense", "nqs"), ["'nqs'", "nsq"]),
    "no defense": (("--defense", ","), ["No defense"]),
    "unknown attack": (("--attacks", "pgdd100"), ["'pgdd'", "pgd"]),
    "unknown backend": (("--attacks", "pgd10@foolbax"), ["'foolbax'", "foolbox"]),
    "impossible backend": (("--attacks", "square@foolbox"), ["foolbox", "torchattacks"]),
    "unknown loss": (("--attacks", "pgd10-cv"), ["'cv'", "cw"]),
    "unknown option": (("--attacks", "pgd10:restart=2"), ["'restart'", "restarts"]),
    "view of a black box": (("--attacks", "square:view=bpda"), ["bpda"]),
    "unknown dataset": (("--dataset", "mnits"), ["'mnits'", "mnist"]),
    "negative ε": (("--eps-grid", "0,-0.1"), ["negative"]),
    "ε above 1": (("--eps-grid", "0,8"), ["above 1", "8/255"]),
    "ε above 255": (("--eps-grid", "300"), ["above 1", "8/255"]),
    "ε no number": (("--eps-grid", "0,much"), ["'much'"]),
    "empty grid": (("--eps-grid", ","), ["empty"]),
    "empty text as grid": (("--eps-grid", ""), ["empty"]),
    "negative seed": (("--seed", "-1"), ["from 0 to", "-1"]),
    "seed too large": (("--seed", str(10**30)), ["from 0 to", str(10**30)]),
    "no samples": (("--samples", "0"), ["at least 1 sample"]),
    "too many samples": (("--samples", "1000"), ["360"]),
    "samples no number": (("--samples", "ten"), ["ten"]),
    "no data": (("--dataset", "mnist", "--data-dir", "{tmp}/none"), ["none"]),
    "empty data": (("--dataset", "mnist", "--data-dir", "{tmp}/empty"), ["empty"]),
    "no models": (("--models-dir", "{tmp}/none"), ["none, is not there"]),
    "no model": (
        ("--defense", "nsq", "--dataset", "digits", "--attacks", "transfer:source=nobody"),
        ["'nobody'"],
    ),
    "unknown norm": (("--norm", "l3"), ["'l3'", "linf"]),
    "norm without grid": (("--norm", "l2"), ["--eps-grid"]),
    "unknown strategy": (("--sweep", "fast"), ["'fast'", "auto"]),
    "unknown criterion": (("--criterion", "top3"), ["'top3'"]),
    "unknown device": (("--device", "warp"), ["'warp'"]),
    "absent device": (("--device", "cuda:99"), ["cuda:99"]),
    "no draws": (("--draws", "0"), ["from 1 to", "not 0"]),
    "no batch": (("--batch-size", "0"), ["at least 1"]),
    "batch too large": (("--batch-size", str(10**20)), ["at most", str(10**20)]),
    "no config": (("--config", "{tmp}/none.toml"), ["none.toml"]),
    "no file": (("--defense", "{tmp}/none.py:build"), ["none.py"]),
    "no factory": (("--defense", "{mine}:plan"), ["plan", "plain"]),
    "factory raises": (("--defense", "{mine}:raises"), ["no weights here"]),
    "factory returns nothing": (("--defense", "{mine}:nothing"), ["None"]),
    "too few classes": (("--defense", "{mine}:few"), ["(8, 3)", "10"]),
    "nan": (("--defense", "{mine}:nan"), ["NaN"]),
    "wrong shape": (("--defense", "{mine}:shape"), ["(8, 1, 8, 8)"]),
    "forward fails": (("--defense", "{mine}:fails"), ["ZeroDivisionError"]),
    "unknown command option": (("--epsilon", "0.1"), ["--eps"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_clear_message_and_leaves_nothing(shell, tmp_path, mine, monkeypatch, case):
    arguments, expected = WRONG[case]
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    defaults = {"--defense": "natural", "--attacks": "pgd3"}
    given = [part.format(tmp=tmp_path, mine=mine) for part in arguments]
    for option, value in defaults.items():
        if option not in given:
            given += [option, value]
    typed = shell("run", *given)
    assert typed.code == 2, typed
    assert "Traceback" not in typed.err
    for text in expected:
        assert text in " ".join((typed.err + typed.out).split()), typed
    assert not list((tmp_path / "empty").iterdir()), "something was written"


def test_a_folder_without_permission(shell, tmp_path, monkeypatch):
    # Root may write anywhere, so the refusal is provoked where the system itself refuses: below a file.
    (tmp_path / "file").write_text("")
    typed = shell(*QUICK, "--out", tmp_path / "file" / "run")
    assert typed.code == 2
    assert "file" in typed.err


def test_a_fault_of_ours_keeps_its_traceback(tmp_path):
    code = (
        "import sys, robbench.cli, robbench.preparation\n"
        "def broken(*_): raise ZeroDivisionError('ours')\n"
        "robbench.preparation.prepare = broken\n"
        "sys.argv = ['robbench', 'run', '--defense', 'natural', '--attacks', 'pgd3']\n"
        "robbench.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_interrupted_it_says_that_nothing_is_lost(tmp_path):
    process = start(
        *("run", "--defense", "natural", "--attacks", "noise100000", "--eps-grid", "--out", tmp_path / "run"),
        # A background job of a shell ignores interrupts, and hands that on to its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "run.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run the same command again to continue" in err
    assert "Traceback" not in err


def test_interrupted_a_command_that_keeps_nothing_says_so(shell, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("robbench.bench.running.run_bench", stop)
    typed = shell("bench", "--defense", "natural")
    assert typed.code == 1
    assert "the same command starts over" in typed.err
    assert "kept" not in typed.err


def test_an_unsorted_grid_is_sorted_and_said_so(shell, tmp_path):
    typed = shell(
        *("run", "--defense", "natural", "--attacks", "fgsm", "--samples", "20", "--out", tmp_path / "run"),
        *("--eps-grid", "0.2,0.1,0.2"),
    )
    assert "they were sorted" in typed.err
    assert "ε = 0 was added" in typed.err
    assert pd.read_csv(tmp_path / "run" / "curves.csv").epsilon.tolist() == [0.0, 0.1, 0.2]
    ascending = shell(*QUICK, "--out", tmp_path / "run2")
    assert "were sorted" not in ascending.err


@pytest.mark.parametrize("what", ["defenses", "attacks", "datasets", "networks", "models", "figures"])
def test_lists(shell, what):
    typed = shell("list", what)
    assert typed.code == 0
    known = {
        "defenses": "nsq",
        "attacks": "pgd<N>",
        "datasets": "mnist",
        "networks": "madry_mnist",
        "models": "digits",
        "figures": "curves",
    }
    assert known[what] in typed.out
