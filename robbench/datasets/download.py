"""Downloading a dataset through torchvision, so that it is there as a whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from robbench.errors import UserError


def download_into(directory: Path, folder: str, title: str, fetch: Callable[[str], object]) -> None:
    """Download a dataset into a directory.

    The files come into a temporary folder inside the directory and move when all are there.

    Args:
        directory: Where the dataset shall be; made if need be.
        folder: The folder, below the root that ``fetch`` gets, that holds the dataset; it keeps its place.
        title: The dataset's name in messages.
        fetch: Downloads into the root it is given, for example torchvision's dataset class.

    Raises:
        UserError: No network, or the files cannot be written.
    """
    made = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=directory) as temporary:
            fetch(temporary)
            _move(Path(temporary) / folder, directory / folder)
    except (OSError, RuntimeError) as error:  # torchvision raises RuntimeError where every mirror failed
        reason = next(iter(reversed(str(error).strip().splitlines())), type(error).__name__)
        raise UserError(
            f"{title} is not in {directory}, and downloading it there failed: {reason}.",
            "Fetch it on a machine with a network, and name its folder with --data-dir or ROBBENCH_DATA. "
            "The dataset `digits` needs no download.",
        ) from error
    finally:
        if made and directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)
        return
    # Part of the dataset was there already: its files are replaced, each at once.
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, place)
