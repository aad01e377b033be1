"""Typing robbench commands in tests: in this process for speed, or in one of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Typed:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Shell:
    """Types commands in this process.

    Args:
        monkeypatch: Sets the arguments.
        capsys: Catches the output.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> Typed:
        self._monkeypatch.setattr(sys, "argv", ["robbench", *map(str, arguments)])
        # Not at the top: the shapes in robbench's signatures are checked only if pytest imports it.
        from robbench import cli

        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = self._capsys.readouterr()
        return Typed(code, printed.out, printed.err)


def start(*arguments: object, **options: object) -> "subprocess.Popen[str]":
    """Start a command in a process of its own, with one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "robbench", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,  # pyright: ignore[reportArgumentType, reportCallIssue]
    )
