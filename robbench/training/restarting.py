"""Trainings begun anew: noted on disk until they are done, so that the same command typed again goes on."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from robbench.files import write_bytes
from robbench.training.checkpoint import checkpoint_path
from robbench.training.lock import sole_writer
from robbench.training.request import SettledTraining, TrainingRequest, settle


def note_path(weights: Path) -> Path:
    """The note beside a model's weights: a line for each training that was begun anew together with it."""
    return weights.with_suffix(".restart")


def restart_together(requests: Sequence[TrainingRequest]) -> list[TrainingRequest]:
    """Begin trainings anew, or go on with the same ones where that was interrupted.

    Args:
        requests: All that a command trains, in its order.

    Returns:
        The same, each to be trained anew unless that was done before the interruption.

    Raises:
        UserError: Another process trains one of them; a place cannot be written.
    """
    jobs = [settle(request) for request in requests]
    together = [_name(job) for job in jobs]
    # The last is noted last and trained last: while its note is there, whatever has none is done.
    if _noted(jobs[-1]) != together:
        with ExitStack() as held:
            for job in jobs:
                held.enter_context(sole_writer(job.weights))
            for job in jobs:
                _begin_anew(job, together)
    return [replace(job.request, restart=_name(job) in _noted(job)) for job in jobs]


def begin(job: SettledTraining) -> None:
    """Begin a training whose files are held: anew if that is asked and was not done before.

    Raises:
        UserError: The place cannot be written.
    """
    if _name(job) in _noted(job):
        return
    if job.request.restart:
        _begin_anew(job, [_name(job)])
    else:
        end(job)  # another training was begun anew; this one takes its place


def end(job: SettledTraining) -> None:
    """Note that nothing is to be begun anew any more."""
    note_path(job.weights).unlink(missing_ok=True)


def _begin_anew(job: SettledTraining, together: Sequence[str]) -> None:
    # The checkpoint first: one that lies beside a note is then of the training begun anew.
    checkpoint_path(job.weights).unlink(missing_ok=True)
    write_bytes(note_path(job.weights), "".join(f"{name}\n" for name in together).encode())


def _noted(job: SettledTraining) -> list[str]:
    path = note_path(job.weights)
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _name(job: SettledTraining) -> str:
    """What tells a training from every other one."""
    identity = hashlib.sha256(json.dumps(dict(job.identity), sort_keys=True).encode()).hexdigest()
    return f"{job.request.info.name}/{job.request.defense} {identity[:16]}"
