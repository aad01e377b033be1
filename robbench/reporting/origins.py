"""Where a run's numbers come from, as ``run.json`` tells it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from robbench.figures.titles import defense_title, printable
from robbench.text_table import TextTable

_FACTS = (
    ("Dataset", ("dataset", "source")),
    ("Samples", ("dataset", "samples")),
    ("Dataset fingerprint", ("dataset", "fingerprint")),
    ("Norm", ("spec", "norm")),
    ("Criterion", ("spec", "criterion")),
    ("Sweep", ("spec", "sweep")),
    ("Precision of attack steps", ("spec", "precision")),
    ("Seed", ("spec", "seed")),
    ("Device", ("device",)),
    ("Platform", ("platform",)),
    ("Batch size", ("batch_size",)),
    ("Commit of robbench", ("git_commit",)),
)
"""What is shown of a run, and where it stands."""

_MOMENTS = (("Begun", "created"), ("Finished", "finished"))


class Origin(NamedTuple):
    """Where the numbers of one run come from."""

    run: str
    """The name of its folder."""
    command: str
    """What was typed; empty where it is not known."""
    toml: str
    """The specification as a file for ``--config``; likewise."""
    facts: list[tuple[str, str]]
    defenses: TextTable
    jobs: TextTable
    everything: str
    """The whole ``run.json``."""


def origin(run: Path, manifest: dict[str, Any]) -> Origin:
    """What a run says of itself; entries that are absent or of another kind are left out."""
    return Origin(
        run=printable(run.resolve().name, 80),
        command=_text(manifest, ("command",)),
        toml=_text(manifest, ("toml",)),
        facts=[(title, text) for title, text in _facts(manifest) if text],
        defenses=_defense_table(_entry(manifest, "defenses")),
        jobs=_job_table(manifest),
        everything=json.dumps(manifest, indent=2, ensure_ascii=False),
    )


def _facts(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What there is to say in a line each; the text is empty where nothing is known."""
    for title, path in _FACTS:
        yield title, _text(manifest, path)
    for title, key in _MOMENTS:
        yield title, _moment(_text(manifest, (key,)))
    continued = manifest.get("continued")
    yield "Interruptions", str(len(continued)) if isinstance(continued, list) else ""
    versions = _entry(manifest, "versions").items()
    yield "Versions", ", ".join(f"{printable(name)} {printable(str(text))}" for name, text in versions)


def _defense_table(defenses: dict[str, Any]) -> TextTable:
    rows = []
    for name in defenses:
        record = _entry(defenses, name)
        weights, place = (str(record.get(key) or "") for key in ("weights_sha256", "origin"))
        seconds = _number(record.get("training_seconds"))
        title = str(record.get("title") or name)
        printed = defense_title(name) if title == name else printable(title)
        rows.append((printed, printable(place, 80), printable(weights, 80), seconds))
    columns = ("defense", "from", "SHA-256 of the weights", "training seconds")
    return TextTable("Defenses", columns, rows, numbers=1)


def _job_table(manifest: dict[str, Any]) -> TextTable:
    rows = []
    for job, record in _entry(manifest, "jobs").items():
        passes = [_number(record.get(key)) for key in ("n_forward", "n_backward")]
        rows.append((job, _control(record.get("control")), *passes, _number(record.get("seconds"), 1)))
    columns = ("computation", "control of the search", "forward passes", "backward passes", "seconds")
    return TextTable("Computations", columns, rows, numbers=3)


def _control(control: Any) -> str:
    """What auto's control sample said, in words."""
    if not isinstance(control, dict) or not control:
        return "none"
    points, samples = _number(control.get("disagreement"), 1), _number(control.get("samples"))
    end = "swept thoroughly instead" if control.get("fell_back") else "the search stands"
    return f"{points.replace('-', '−')} points on {samples} samples: {end}"


def _moment(text: str) -> str:
    """A moment to the second; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return text


def _text(manifest: dict[str, Any], path: tuple[str, ...]) -> str:
    value: Any = manifest
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _entry(record: dict[str, Any], name: str) -> dict[str, Any]:
    entry = record.get(name)
    return entry if isinstance(entry, dict) else {}


def _number(value: object, digits: int = 0) -> str:
    return f"{value:,.{digits}f}" if isinstance(value, int | float) and not isinstance(value, bool) else ""
