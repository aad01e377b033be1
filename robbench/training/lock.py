"""One writer per model: a lock that the system releases when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from robbench.errors import UserError
from robbench.files import make_folder


@contextmanager
def sole_writer(weights: Path) -> Iterator[None]:
    """Hold a model's files alone.

    Raises:
        UserError: Another process holds them; their folder cannot be made.
    """
    make_folder(weights.parent)
    path = weights.with_suffix(".lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"Another process is writing {weights.with_suffix('')}.",
            "Wait for it, or choose another --models-dir.",
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()
