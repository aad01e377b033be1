import ast
import os
from pathlib import Path

import pytest
import torch

from robbench.errors import UserError
from robbench.templates import KINDS, write_defense
from tests.defenses.formats.loaded import load


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_on_a_screen_and_names_itself(tmp_path, kind):
    assert write_defense(tmp_path / "mine.py", kind) == f"{tmp_path}/mine.py:build"
    text = (tmp_path / "mine.py").read_text()
    assert f"robbench check {tmp_path}/mine.py:build" in text
    assert len(text.splitlines()) <= 60


def test_the_network_is_trained_once_and_again_after_an_edit(tmp_path):
    path = tmp_path / "mine.py"
    name = write_defense(path, "network")

    def built(steps: int) -> bytes:
        path.write_text(text.replace("range(600)", f"range({steps})"))
        return load(name).defense.model.get_parameter("layers.1.weight").detach().numpy().tobytes()

    text = path.read_text()
    untrained = built(0)
    (weights,) = tmp_path.glob("mine.digits-*.pt")
    written = weights.stat().st_mtime_ns
    assert built(0) == untrained
    assert weights.stat().st_mtime_ns == written
    assert built(1) != untrained
    assert len(list(tmp_path.glob("mine.digits-*.pt"))) == 2


def test_weights_whose_writing_was_killed_are_trained_again(tmp_path, monkeypatch):
    path = tmp_path / "mine.py"
    name = write_defense(path, "network")
    path.write_text(path.read_text().replace("range(600)", "range(0)"))

    def killed(state: object, place: str | Path) -> None:
        Path(place).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            load(name)
    assert load(name).weights_sha256 == load(name).weights_sha256


def test_a_name_with_a_blank_is_quoted_for_the_shell(tmp_path):
    name = write_defense(tmp_path / "a b.py")
    assert name == f"'{tmp_path}/a b.py:build'"
    assert f"robbench check {name}" in (tmp_path / "a b.py").read_text()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [b"new\\users.py", b'three""".py', b"m\xff.py"])
def test_an_odd_name_is_no_syntax_error(tmp_path, kind, name):
    path = tmp_path / os.fsdecode(name)
    shown = write_defense(path, kind)
    described = ast.get_docstring(ast.parse(path.read_text()))
    assert described is not None
    assert described.endswith(f"robbench check {shown}")


def test_nothing_is_replaced(tmp_path):
    (tmp_path / "mine.py").write_text("mine")
    with pytest.raises(UserError, match="exists, and is not replaced"):
        write_defense(tmp_path / "mine.py")
    assert (tmp_path / "mine.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["mine", "mine.txt", "a,b.py", "a:b.py"])
def test_what_could_not_be_named_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="could not be named"):
        write_defense(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_looked_into_is_said(tmp_path, forbid):
    forbid("exists", tmp_path)
    with pytest.raises(UserError, match=r"mine\.py cannot be written: Permission denied"):
        write_defense(tmp_path / "mine.py")


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        write_defense(tmp_path / "new" / "mine.py")
