"""The compare command as a user types it."""

from pathlib import Path

from tests.commands import Shell
from tests.comparing.runs import make_run, until

STRONG, WEAK = until([4] * 50), until([1] * 50)


def test_tables_files_and_exit_codes(shell: Shell, tmp_path: Path) -> None:
    make_run(tmp_path, {("pgd-at", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK, ("sq", "pgd20"): STRONG})
    typed = shell("compare", tmp_path, "--baseline", "pgd-at")
    assert typed.code == 0, typed.err
    assert "weaker at ε ≥ 0.1 (p < 0.001); no difference found below" in typed.out
    assert "−100.0" in typed.out
    assert f"Wrote {tmp_path / 'comparison' / 'comparison-digits.csv'}" in typed.err
    gate = ("--at", "0.2", "--fail-if-worse", "1.0", "--quiet")
    failed = shell("compare", tmp_path, "--baseline", "pgd-at", *gate)
    assert failed.code == 3
    assert failed.out == ""
    assert failed.err.startswith("nsq is worse than pgd-at on Digits, L∞: 100.0 points lower under pgd20")
    assert shell("compare", tmp_path, "--baseline", "pgd-at", "--candidate", "sq", *gate).code == 0


def test_one_of_several_norms_and_criteria_can_be_chosen(shell: Shell, tmp_path: Path) -> None:
    pairs = {("pgd-at", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK}
    make_run(tmp_path / "linf", pairs)
    make_run(tmp_path / "l2", pairs, (0.0, 0.5, 1.0, 1.5), norm="l2")
    make_run(tmp_path / "top5", pairs, criterion="top5")
    asked = ("compare", tmp_path, "--baseline", "pgd-at", "--at", "0.1")
    refused = shell(*asked)
    assert refused.code == 2
    assert "--norm and --criterion choose" in " ".join(refused.err.split())
    typed = shell(*asked, "--norm", "linf", "--criterion", "top1")
    assert typed.code == 0, typed.err
    assert [path.name for path in (tmp_path / "comparison").glob("*.md")] == ["comparison-digits.md"]
    for option in ("--norm", "--criterion"):
        unknown = shell(*asked, option, "top")
        assert unknown.code == 2
        assert f"There is no {option[2:]} in " in " ".join(unknown.err.split())


def test_bad_input_is_one_message(shell: Shell, tmp_path: Path) -> None:
    make_run(tmp_path, {("pgd-at", "pgd20"): STRONG, ("nsq", "pgd20"): WEAK})
    for arguments, words in [
        (("--baseline", "pgdat"), "Did you mean pgd-at?"),
        ((), "--baseline"),
        (("--baseline", "pgd-at", "--at", "0.15"), "The grid is 0, 0.1, 0.2, 0.3."),
        (("--baseline", "pgd-at", "--fail-if-worse", "much"), "much"),
    ]:
        typed = shell("compare", tmp_path, *arguments)
        assert typed.code == 2
        assert words in " ".join(typed.err.split())
        assert "Traceback" not in typed.err
