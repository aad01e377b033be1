"""Trainings begun anew and interrupted: the same command goes on, another one begins again."""

from dataclasses import replace

import pytest

from robbench.models import weights_path
from robbench.training import SilentTraining, restart_together, train
from robbench.training.checkpoint import checkpoint_path
from robbench.training.restarting import note_path
from tests.training.small import StopAt, Stopped, interrupted, request


class Begun(SilentTraining):
    """Notes at which step a training begins; None: it was left alone."""

    def __init__(self):
        self.at = None

    def on_start(self, step, total):
        self.at = step


def begins_at(asked):
    begun = Begun()
    train(asked, begun)
    return begun.at


def written(folder, *defenses):
    return [weights_path(folder, "digits", name).stat().st_mtime_ns for name in defenses]


def test_begun_anew_interrupted_and_asked_again_it_goes_on(tmp_path):
    earlier = train(request(tmp_path))
    asked = request(tmp_path, restart=True)
    interrupted(asked)
    assert begins_at(asked) not in (None, 0)
    assert train(request(tmp_path)).sha256 == earlier.sha256
    assert begins_at(asked) == 0, "it was done, so this is another restart"
    assert {path.suffix for path in (tmp_path / "digits").iterdir()} == {".safetensors", ".json"}


def test_interrupted_before_its_first_checkpoint_it_still_replaces_the_model(tmp_path):
    train(request(tmp_path))
    asked = request(tmp_path, restart=True)
    with pytest.raises(Stopped):
        train(asked, StopAt(0))
    before = written(tmp_path, "natural")
    assert begins_at(asked) == 0
    assert written(tmp_path, "natural") != before


def test_several_that_are_interrupted_go_on_with_what_is_left(tmp_path):
    names = ("natural", "sq", "nsq")
    asked = [request(tmp_path, name, restart=True) for name in names]
    for one in asked:
        train(one)
    first, second, _ = restart_together(asked)
    train(first)
    interrupted(second)
    before = written(tmp_path, *names)
    again = restart_together(asked)
    assert [one.restart for one in again] == [False, True, True]
    first, second, third = [begins_at(one) for one in again]
    assert (first, third) == (None, 0)
    assert second not in (None, 0)
    after = written(tmp_path, *names)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, False]
    assert all(one.restart for one in restart_together(asked)), "all were done: this restart is a new one"


def test_another_command_begins_anew(tmp_path):
    """One defense was trained anew and interrupted: that says nothing of the others."""
    both = [request(tmp_path, name, restart=True) for name in ("natural", "nsq")]
    train(both[0])
    interrupted(both[1])
    assert [one.restart for one in restart_together(both)] == [True, True]
    assert not checkpoint_path(weights_path(tmp_path, "digits", "nsq")).exists()


def test_killed_while_it_notes_what_to_do_it_begins_anew(tmp_path):
    both = [request(tmp_path, name, restart=True) for name in ("natural", "nsq")]
    restart_together(both)
    note_path(weights_path(tmp_path, "digits", "nsq")).unlink()
    assert [one.restart for one in restart_together(both)] == [True, True]


def test_another_training_in_between_is_not_gone_on_with(tmp_path):
    asked, other = request(tmp_path, restart=True), request(tmp_path, seed=3)
    with pytest.raises(Stopped):
        train(asked, StopAt(0))
    interrupted(other)
    assert begins_at(asked) == 0
    interrupted(replace(other, restart=True))
    assert begins_at(asked) == 0


def test_the_command_typed_again_goes_on(tmp_path, shell, monkeypatch):
    typed = (
        *("train", "--defense", "natural,sq", "--set", "iterations=5", "--models-dir", tmp_path),
        "--restart",
    )
    assert shell(*typed).code == 0

    def stop(asked, observer):
        if asked.defense == "sq":
            raise KeyboardInterrupt
        return train(asked, observer)

    monkeypatch.setattr("robbench.training.train", stop)
    stopped = shell(*typed)
    assert stopped.code == 1
    assert "run the same command again to continue" in stopped.err
    monkeypatch.undo()
    before = written(tmp_path, "natural", "sq")
    again = shell(*typed)
    assert "Going on where --restart was interrupted: 1 of 2 are done." in again.err
    after = written(tmp_path, "natural", "sq")
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False]
