"""Files that appear whole or not at all: written beside, flushed to disk, then renamed."""

import errno
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from robbench.errors import UserError

_UNFINISHED = ".robbench-partial"


@contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing such that it changes only once everything is on disk.

    A reader, or a process that follows a kill or a power cut, sees the old file or the new one. Where the
    body raises, the old file stays and nothing is left behind.

    Raises:
        UserError: The disk is full, or the place cannot be written to.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        with unfinished.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise cannot_write(path, error) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file."""
    with atomic_writer(path) as stream:
        stream.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON; numpy's numbers become Python's.

    Raises:
        TypeError: JSON has no word for something in it.
        ValueError: A number is not finite.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=_plain_number)
    # Bytes in a name that are no UTF-8 are escaped as JSON does it, and come back when it is read.
    write_bytes(path, f"{text}\n".encode(errors="backslashreplace"))


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whose pages carry checksums."""
    with atomic_writer(path) as stream:
        pq.write_table(table, stream, compression="zstd", write_page_checksum=True)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV file, UTF-8, without the index; numbers keep every digit."""
    write_bytes(path, frame.to_csv(index=False, lineterminator="\n").encode())


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file and check its checksums.

    Raises:
        OSError: It cannot be opened.
        pyarrow.ArrowException: It is no Parquet file, or a damaged one.
    """
    # ParquetFile, unlike read_table, never guesses partitions from the names of the folders above.
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(columns=columns)


def read_metadata(path: Path) -> dict[bytes, bytes]:
    """What a Parquet file says beside its columns; raises as :func:`read_table`."""
    return pq.read_schema(path).metadata or {}


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed writer left in a folder; only for who holds the folder alone."""
    for path in folder.glob(f".*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def is_unfinished(path: Path) -> bool:
    """Whether a file is what a killed writer left behind."""
    return path.name.startswith(".") and path.name.endswith(_UNFINISHED)


def make_folder(folder: Path) -> None:
    """Create a folder and what is missing above it, and flush that to disk.

    Raises:
        UserError: It cannot be created.
    """
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)
    except OSError as error:
        raise cannot_write(folder, error) from error


def check_folder(folder: Path) -> None:
    """Refuse a folder that could not be written to, or not be made; creates nothing.

    Raises:
        UserError: There is a file or a broken link, or no permission, or the name is no UTF-8.
    """
    check_name(folder)
    place = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not place.is_dir():
        raise UserError(
            f"{place} is {'a file' if place.exists() else 'a broken link'}, not a folder.",
            "Choose another folder with --out.",
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"There is no permission to write to {place}.", "Choose another folder with --out.")


def check_name(folder: Path) -> None:
    """Refuse a folder of results whose name is no UTF-8: tables say of each row where it came from.

    Raises:
        UserError: It is not.
    """
    try:
        str(folder).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"The name of the folder {folder} is no UTF-8.", "Give it another name.") from error


def check_places(files: Iterable[Path]) -> None:
    """Refuse, before the first of several files is written, a place that one of them cannot take.

    Args:
        files: Where they are to be written; their folders exist.

    Raises:
        UserError: There is a folder of that name, or no permission to write beside it.
    """
    for path in files:
        if path.is_dir():
            raise cannot_write(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise cannot_write(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk; systems without that notion are left alone."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a place that the system does not let us write to."""
    return UserError(
        f"{path} cannot be written: {error.strerror or error}.",
        "Check the free space and the permissions, or choose another place: "
        "results with --out, models with --models-dir.",
    )


def _plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} cannot be written as JSON")
