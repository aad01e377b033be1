"""The layout of a run's folder: the names of its files, and its manifest."""

import json
import re
from pathlib import Path
from typing import Any

from robbench.errors import UserError
from robbench.schema import SCHEMA_VERSION

RUN = "run.json"
"""What makes a folder a run: the manifest, its state and its jobs."""
LOCK = "run.lock"
WRITER = "writer.json"
"""Who holds the lock: process, host and time."""
JOBS = "jobs"
"""``jobs/<id>.parquet`` holds a finished job, ``jobs/<id>/`` the parts of an unfinished one."""
EXAMPLES = "examples"
"""As ``jobs``: a few adversarial images of every job."""
OUTCOMES_TABLE = "outcomes.parquet"
CURVES_TABLE = "curves.parquet"
CURVES_CSV = "curves.csv"
RESULTS = (OUTCOMES_TABLE, CURVES_TABLE, CURVES_CSV)
"""What a complete run holds beside its manifest."""

_JOB_ID = re.compile(r"[0-9a-f]{4,64}")


def is_job_id(text: object) -> bool:
    """Whether ``text`` is a job's name: lower-case hex digits, which are safe in a path."""
    return isinstance(text, str) and _JOB_ID.fullmatch(text) is not None


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check a run's ``run.json``.

    Raises:
        UserError: It cannot be read, is not what robbench writes, or a newer robbench wrote it.
    """
    path = folder / RUN
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}.", "Move the folder away to start anew.") from error
    if not _is_manifest(manifest):
        raise UserError(f"{path} is not the description of a run.", "Move the folder away to start anew.")
    if manifest["schema_version"] > SCHEMA_VERSION:
        raise UserError(
            f"{path} was written by a newer robbench: its tables are version {manifest['schema_version']}, "
            f"and this robbench knows up to {SCHEMA_VERSION}.",
            "Update robbench, or choose another folder.",
        )
    return manifest


def is_complete(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether a run is done and its tables are there; who deletes a damaged one has it computed again."""
    return manifest["state"] == "complete" and all((folder / name).is_file() for name in RESULTS)


def _is_manifest(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("identity"), str)
        and isinstance(value.get("spec"), dict)
        and isinstance(value.get("created"), str)
        and isinstance(value.get("schema_version"), int)
        and value.get("state") in ("running", "complete")
        and isinstance(value.get("jobs"), dict)
        and all(is_job_id(job) and isinstance(record, dict) for job, record in value["jobs"].items())
    )
