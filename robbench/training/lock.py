"""One writer per model."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from robbench.errors import UserError
from robbench.file_lock import locked
from robbench.files import make_folder


@contextmanager
def sole_writer(weights: Path) -> Iterator[None]:
    """Hold a model's files alone.

    Raises:
        UserError: Another process holds them; their folder cannot be made or written.
    """
    make_folder(weights.parent)
    taken = UserError(
        f"Another process is writing {weights.with_suffix('')}.",
        "Wait for it, or choose another --models-dir.",
    )
    path = weights.with_suffix(".lock")
    with locked(path, lambda: taken):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
