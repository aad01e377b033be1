"""One writer per run, and a note of who that is."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from robbench.errors import UserError
from robbench.file_lock import locked
from robbench.files import write_json
from robbench.store.layout import LOCK, WRITER


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a run's folder alone.

    Raises:
        UserError: Another writer is at work; the message says which.
    """
    with locked(folder / LOCK, lambda: _taken(folder)):
        try:
            write_json(
                folder / WRITER,
                {
                    "process": os.getpid(),
                    "host": platform.node(),
                    "since": datetime.now(UTC).isoformat(timespec="seconds"),
                },
            )
            yield
        finally:
            (folder / WRITER).unlink(missing_ok=True)


def _taken(folder: Path) -> UserError:
    return UserError(
        f"{folder} is being written by {_holder(folder)}.",
        "Wait until it is done, or choose another folder with --out.",
    )


def _holder(folder: Path) -> str:
    """Who holds the lock, in words; the note may be missing for the moment between lock and note."""
    try:
        note = json.loads((folder / WRITER).read_bytes())
        return f"process {note['process']} on {note['host']}, since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
