"""Running a prepared audit: its attacks through the sweep engine, its probes, and what follows from them."""

import json
from pathlib import Path
from typing import NamedTuple

from robbench.auditing.contract import Evidence
from robbench.auditing.evidence import gather_evidence
from robbench.auditing.preparing import PreparedAudit
from robbench.auditing.probes import Probes
from robbench.auditing.probing import probe
from robbench.auditing.registration import checks
from robbench.auditing.summary import Findings, Summary, summarize
from robbench.auditing.writing import write_audit
from robbench.errors import UserError
from robbench.executors import RunObserver
from robbench.files import write_json
from robbench.running import run
from robbench.store import read_outcomes

PROBES = "probes.json"
_PROBES_VERSION = 1
"""Raised when a probe changes its meaning: those of older versions are then measured anew."""


class AuditReport(NamedTuple):
    """What an audit found and where it is."""

    findings: Findings
    """Every check's, failures first."""
    summary: Summary
    folder: Path
    files: list[Path]
    was_complete: bool
    """Whether everything was there already and nothing was computed."""


def run_audit(prepared: PreparedAudit, results: Path, observer: RunObserver) -> AuditReport:
    """Run what is missing of an audit, and write what it found.

    Args:
        prepared: The audit.
        results: The folder in which every audit has its own; an unfinished one is continued.
        observer: Told how it goes.

    Raises:
        UserError: The folder holds something else, another process writes to it, or it cannot be written.
    """
    folder = results / prepared.folder
    reports = {name: run(part, folder / name, observer) for name, part in prepared.runs.items()}
    kept = _read_probes(folder / PROBES)
    probes = kept or probe(prepared.subject, prepared.sweep.workplace)
    if kept is None:
        write_json(folder / PROBES, {"version": _PROBES_VERSION, "probes": probes.to_json()})
    outcomes = {name: read_outcomes(report.folder) for name, report in reports.items()}
    findings = examine(gather_evidence(prepared, outcomes, probes))
    summary = summarize(prepared, findings, reports["attacks"].curves)
    files = write_audit(prepared, folder, findings, summary, probes)
    was_complete = kept is not None and all(report.was_complete for report in reports.values())
    return AuditReport(findings, summary, folder, files, was_complete)


def examine(evidence: Evidence) -> Findings:
    """What every check says of the evidence: failures first, then what is not settled, then the rest."""
    findings = [(check, check.examine(evidence)) for _, check in checks.items()]
    return sorted(findings, key=lambda pair: ("fail", "inconclusive", "pass").index(pair[1].verdict))


def _read_probes(path: Path) -> Probes | None:
    """The probes kept there; None where there are none of this version."""
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_bytes())
        return Probes.from_json(kept["probes"]) if kept["version"] == _PROBES_VERSION else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} cannot be read: {error}.",
            "Delete that file and repeat the command: it is measured anew.",
        ) from error
