"""Whether a folder may hold a run: free, begun by the same command, or somebody else's."""

import os
from pathlib import Path
from typing import Any

from robbench.errors import UserError
from robbench.files import check_folder, check_name, is_unfinished
from robbench.store.layout import LOCK, RUN, WRITER, read_manifest

_SHOWN = 8
_OWN_KEYS = frozenset(
    {"identity", "spec", "schema_version", "created", "state", "jobs", "continued", "finished"}
)
"""Manifest entries that the run itself writes or that are compared by themselves."""
_OTHER_FOLDER = "Choose another folder with --out, or repeat the command that began this one."


def examine_folder(folder: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of the same run begun here earlier; None where a new run may begin.

    Only looks; creates nothing. Whether a run that is here could be continued is not looked at.

    Raises:
        UserError: Another run or other files are here, or there is no run and none could be written.
    """
    check_name(folder)
    if not os.path.exists(folder / RUN):  # False, too, where the folder may not be searched
        check_folder(folder)
        if not folder.exists():
            return None
        foreign = sorted(path.name for path in folder.iterdir() if not _is_ours(path))
        if foreign:
            raise UserError(
                f"{folder} holds other files, such as {foreign[0]}, and no run.",
                "Choose a new or empty folder with --out.",
            )
        return None
    there = read_manifest(folder)
    if there["identity"] != asked["identity"]:
        raise UserError(f"{folder} holds another run: {_differences(there, asked)}.", _OTHER_FOLDER)
    return there


def provenance_changes(there: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What a continued run is continued with where that differs from what began it, such as versions."""
    return {key: value for key, value in asked.items() if key not in _OWN_KEYS and there.get(key) != value}


def _is_ours(path: Path) -> bool:
    """Whether a run that was killed before it had a manifest left this file."""
    return path.name in (LOCK, WRITER) or is_unfinished(path)


def _differences(there: dict[str, Any], asked: dict[str, Any]) -> str:
    """The spec entries that differ, ``name: there -> asked``; else the other entries that do, by name."""
    old, new = there["spec"], asked["spec"]
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if names:
        shown = [f"{name}: {_text(old, name)} -> {_text(new, name)}" for name in names[:_SHOWN]]
        more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
        return "; ".join(shown + more)
    others = ", ".join(sorted(provenance_changes(there, asked)))
    return f"the command is the same, but not what it stands for ({others or 'data, weights or code'})"


def _text(spec: dict[str, Any], name: str) -> str:
    value = spec.get(name, "(absent)")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
