"""The report command as a user types it."""

from pathlib import Path

from tests.commands import Shell
from tests.reporting.pages import two_defenses


def test_it_writes_one_file_and_says_so(shell: Shell, tmp_path: Path) -> None:
    two_defenses(tmp_path / "run")
    typed = shell("report", tmp_path)
    assert typed.code == 0, typed.err
    assert f"Wrote {tmp_path / 'report.html'}" in typed.err
    out = tmp_path / "new" / "nsq.html"
    quiet = shell("report", tmp_path / "run", "--baseline", "nsq", "--out", out, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert out.read_text().startswith("<!doctype html>")


def test_bad_input_is_one_message(shell: Shell, tmp_path: Path) -> None:
    for arguments, words in [((), "holds no runs"), (("--baseline",), "requires an argument")]:
        typed = shell("report", tmp_path, *arguments)
        assert typed.code == 2
        assert words in " ".join(typed.err.split())
        assert "Traceback" not in typed.err
