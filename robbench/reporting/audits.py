"""The part of a report that audits: what ``robbench audit`` wrote beside the runs."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from robbench.analysis.verdicts import number_text
from robbench.errors import UserError

_FILE = "audit.json"
_PLACES = (_FILE, f"*/{_FILE}", f"audit/*/{_FILE}")
"""Where audits are, seen from the folder that is reported."""
_SCHEMA_VERSION = 1


class Checked(NamedTuple):
    """One check of an audit."""

    verdict: str
    """``pass``, ``fail`` or ``inconclusive``."""
    title: str
    """What should hold."""
    reason: str
    number: str
    advice: str
    source: str


class Audit(NamedTuple):
    """One audit."""

    sentence: str
    """The verdict, with the accuracy that is left."""
    checks: list[Checked]
    method: str
    command: str
    note: str
    """What to know before believing it; empty: nothing."""


def audits(results: Path, manifests: Iterable[Mapping[str, Any]]) -> list[Audit]:
    """The audits in a folder.

    Args:
        results: What is reported.
        manifests: What the runs in it say of themselves; an audit of other weights of the same name says so.

    Raises:
        UserError: A file is damaged, or none that this robbench knows.
    """
    weights: dict[str, set[str]] = {}
    for manifest in manifests:
        defenses = manifest.get("defenses")
        for name, record in defenses.items() if isinstance(defenses, dict) else ():
            if isinstance(record, dict):
                weights.setdefault(name, set()).add(str(record.get("weights_sha256")))
    files = sorted({file for place in _PLACES for file in results.glob(place)})
    return [_read(file, weights) for file in files]


def _read(file: Path, weights: Mapping[str, set[str]]) -> Audit:
    advice = "Move it away, or repeat the `robbench audit` that wrote it."
    try:
        document = json.loads(file.read_bytes())
        if document["schema_version"] != _SCHEMA_VERSION:
            raise UserError(f"{file} was written by another version of robbench.", advice)
        return Audit(
            sentence=document["sentence"],
            checks=[_checked(record) for record in document["checks"]],
            method=document["method"],
            command=document["command"],
            note=_note(document["defense"], document["weights_sha256"], weights),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{file} is not what an audit writes: {error!r}.", advice) from error


def _checked(record: dict[str, Any]) -> Checked:
    number = None if record["number"] is None else float(record["number"])
    texts = {key: str(record[key]) for key in ("verdict", "title", "reason", "advice", "source")}
    return Checked(number=number_text(number, record["unit"]), **texts)


def _note(defense: str, audited: str, weights: Mapping[str, set[str]]) -> str:
    if audited in weights.get(defense, {audited}):
        return ""
    return f"These are other weights of {defense} than those of the runs above."
