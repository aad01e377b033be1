"""Reading a model file that was named."""

import hashlib
import zipfile
from pathlib import Path

from robbench.errors import UserError


def read_archive(path: Path) -> tuple[list[str], str]:
    """The names of what a zip archive holds, without its outermost folder, and the file's SHA-256.

    A file that is no archive holds no names.

    Raises:
        UserError: There is no such file, or it cannot be read.
    """
    try:
        content = path.read_bytes()
        names = _names(path)
    except FileNotFoundError as error:
        raise UserError(
            f"There is no file {path}.", "The path is taken from the current directory."
        ) from error
    except OSError as error:
        raise UserError(f"The file {path} cannot be read: {error}.") from error
    return [name.partition("/")[2] for name in names], hashlib.sha256(content).hexdigest()


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []
