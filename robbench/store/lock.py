"""One writer per run: a lock that the system releases when its holder dies, and a note of who holds it."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from robbench.errors import UserError
from robbench.files import cannot_write, write_json
from robbench.store.layout import LOCK, WRITER


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a run's folder alone.

    The lock is the system's (``flock``), not the file's existence: a file that a killed process left behind
    locks nothing, and needs no cleaning up.

    Raises:
        UserError: Another writer is at work; the message says which.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"{folder} is being written by {_holder(folder)}.",
            "Wait until it is done, or choose another folder with --out.",
        ) from None
    except OSError as error:
        raise cannot_write(folder / LOCK, error) from error
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
        try:
            (folder / WRITER).unlink(missing_ok=True)
        finally:
            lock.release()


def _holder(folder: Path) -> str:
    """Who holds the lock, in words; the note may be missing for the moment between lock and note."""
    try:
        note = json.loads((folder / WRITER).read_bytes())
        return f"process {note['process']} on {note['host']}, since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
