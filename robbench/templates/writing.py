"""Writing the file that a new defense starts from."""

import shlex
from importlib.resources import files
from pathlib import Path

from robbench.errors import UserError
from robbench.files import cannot_write, write_bytes

KINDS = ("layer", "network")
"""``layer``: in front of a network that robbench trained. ``network``: one's own, with its training."""


def write_defense(path: Path, kind: str = "layer") -> str:
    """Write a defense that works as it stands; a file that exists is never replaced.

    Args:
        path: The new file, ``.py``.
        kind: One of :data:`KINDS`.

    Returns:
        The defense's name on the command line, quoted for a shell where it must be.

    Raises:
        UserError: The path is taken, has no folder or none that may be looked into, or could not be named on
            the command line.
    """
    if path.suffix != ".py" or any(each in str(path) for each in ",:"):
        raise UserError(
            f"{str(path)!r} could not be named after --defense: that takes a .py file, "
            "with no comma or colon in its path.",
            "Such as `robbench new-defense mine.py`.",
        )
    try:
        taken, has_folder = path.exists(), path.parent.is_dir()
    except OSError as error:
        raise cannot_write(path, error) from error
    if taken:
        raise UserError(f"{path} exists, and is not replaced.", "Choose another name, or remove it first.")
    if not has_folder:
        raise UserError(f"There is no folder {path.parent}.", f"`mkdir -p {path.parent}` makes it.")
    text = (files("robbench.templates") / f"{kind}.py.txt").read_text(encoding="utf-8")
    name = shlex.quote(f"{path}:build")
    # It stands in a docstring, where a backslash, as in every path of Windows, would begin an escape.
    shown = name.replace("\\", r"\\").replace('"', r"\"")
    write_bytes(path, text.replace("FILE:build", shown).encode(errors="backslashreplace"))
    return name
