"""Where a dataset is looked for: the named directory, ROBBENCH_DATA, ./data, a download."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from robbench.datasets.contract import ArrayDataset, DatasetInfo, Split
from robbench.datasets.pixels import SourceFormat, to_dataset
from robbench.errors import UserError

VARIABLE = "ROBBENCH_DATA"
DEFAULT_DIRECTORY = Path("data")
"""Where downloads go, in the current directory."""


def load_split(
    info: DatasetInfo,
    formats: Sequence[SourceFormat],
    download: Callable[[Path], None],
    data_dir: Path | None,
    split: Split,
) -> ArrayDataset:
    """Read a split from the first place that holds it.

    A directory that the user named, as ``data_dir`` or in the environment variable ``ROBBENCH_DATA``, is the
    only place looked at. Else it is ``./data``, into which the dataset is downloaded if need be.

    Args:
        info: The dataset.
        formats: The ways in which it may lie there, the best first.
        download: Puts the dataset into a directory, or raises a UserError and leaves nothing.
        data_dir: The data directory, if the user named one.
        split: ``train`` or ``test``.

    Raises:
        UserError: The named directory does not exist or lacks the split; the files are damaged; the download
            failed.
    """
    named = named_directory(data_dir)
    directory = named or DEFAULT_DIRECTORY
    found = find_split(info, formats, directory, split)
    if found is None and named is None:
        download(directory)
        found = find_split(info, formats, directory, split)
    if found is None:
        looked_for = "; ".join(f"{form.files(split)} in {', '.join(form.folders)}" for form in formats)
        raise missing(info, directory, split, looked_for)
    return found


def find_split(
    info: DatasetInfo, formats: Sequence[SourceFormat], directory: Path, split: Split
) -> ArrayDataset | None:
    """Read a split from a data directory; None where the directory does not hold it.

    Raises:
        UserError: The files are there, but damaged, incomplete or of another dataset.
    """
    for form in formats:
        for folder in form.folders:
            if (directory / folder).is_dir():
                found = form.read(directory / folder, split, info)
                if found is not None:
                    return to_dataset(found, info)
    return None


def named_directory(data_dir: Path | None) -> Path | None:
    """The data directory that the user named, by argument or environment; None where they named none.

    Raises:
        UserError: It does not exist, is a file, or may not be looked into.
    """
    text = os.environ.get(VARIABLE)
    origin = "The data directory" if data_dir is not None else f"The data directory of {VARIABLE}"
    named = data_dir if data_dir is not None else Path(text) if text else None
    if named is None:
        return None
    named = named.expanduser()
    try:
        next(named.iterdir(), None)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        what = {FileNotFoundError: "does not exist", NotADirectoryError: "is a file"}.get(type(error), reason)
        raise UserError(f"{origin}, {named}, {what}.", "Name a folder that holds the data.") from error
    return named


def missing(info: DatasetInfo, directory: Path, split: Split, looked_for: str) -> UserError:
    """The error for a directory that does not hold a split."""
    return UserError(
        f"{directory} does not hold the {split} split of {info.title}.",
        f"Looked for {looked_for}. Put the data there, or name their folder with --data-dir or {VARIABLE}.",
    )
