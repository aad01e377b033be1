"""A lock on a file: one holder at a time, and the system releases it when its holder dies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from robbench.errors import UserError
from robbench.files import cannot_write


@contextmanager
def locked(path: Path, taken: Callable[[], UserError]) -> Iterator[None]:
    """Hold the lock of a file, or fail at once.

    The lock is the system's (``flock``), not the file's existence: a file that a killed process left behind
    locks nothing, and needs no cleaning up.

    Args:
        path: The file, which is made where there is none.
        taken: Makes the error for when another process holds it.

    Raises:
        UserError: Another process holds it, or the file cannot be made.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise taken() from None
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()
