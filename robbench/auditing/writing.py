"""Writing an audit: JSON for machines, Markdown and a figure for people."""

from pathlib import Path
from typing import Any

from robbench.auditing.contract import Check, Finding
from robbench.auditing.preparing import PreparedAudit
from robbench.auditing.probes import Probes
from robbench.auditing.rules import FALSE_ALARM, MATERIAL, NEGLIGIBLE
from robbench.auditing.summary import Findings, Summary
from robbench.comparing.markdown import escape, markdown_table
from robbench.figures.audit import draw_audit
from robbench.figures.rendering import render
from robbench.files import write_bytes, write_json
from robbench.spec import DRAWS
from robbench.store.layout import read_manifest

JSON, PAGE, FIGURE = "audit.json", "audit.md", "audit.png"
SCHEMA_VERSION = 1

_CURVE = ["epsilon", "robust_accuracy", "ci_low", "ci_high"]

METHOD = (
    "Samples that the defense gets wrong unperturbed are left out of the checks. A comparison of attacks "
    f"fails where the weaker one is ahead by more than {NEGLIGIBLE:g} point beyond doubt (lower end of "
    f"Newcombe's paired interval, error {100 * FALSE_ALARM:.2g} % for each check, corrected over the radii; "
    f"{MATERIAL:g} points for more steps and restarts), and passes where {MATERIAL:g} points can be "
    "excluded at 95 %; a share of the samples likewise by its exact interval, in percent. The worst of "
    "all attacks counts a sample as broken at ε if any attack broke it there. A randomized defense is "
    f"attacked and scored by the mean class probabilities of {DRAWS} evaluations. A pass is no proof "
    "of robustness: stronger and adaptive attacks may find more."
)


def write_audit(
    prepared: PreparedAudit, folder: Path, findings: Findings, summary: Summary, probes: Probes
) -> list[Path]:
    """Write ``audit.json``, ``audit.md`` and ``audit.png``, replacing those of an earlier look.

    Raises:
        UserError: The place cannot be written to.
    """
    title = f"{prepared.loaded.title} on {prepared.info.title}"
    rows = [(finding.verdict, check.title) for check, finding in findings]
    picture = draw_audit(summary.curves, rows, title)
    files = [folder / name for name in (JSON, PAGE, FIGURE)]
    # What the attacks' run says of itself: who only looks again did not make the numbers.
    manifest = read_manifest(folder / "attacks")
    write_json(files[0], _document(prepared, findings, summary, probes, manifest))
    write_bytes(files[1], _page(findings, summary).encode())
    render(picture, files[2], "png")
    return files


def _document(
    prepared: PreparedAudit, findings: Findings, summary: Summary, probes: Probes, manifest: dict[str, Any]
) -> dict[str, Any]:
    """All that was found, as plain values."""
    provenance = ("command", "started", "versions", "git_commit", "device", "platform", "dataset")
    curves = {
        str(label): curve.sort_values("epsilon")[_CURVE].to_numpy().tolist()
        for label, curve in summary.curves.groupby("attack", sort=False)
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "sentence": summary.sentence,
        "defense": prepared.loaded.name,
        "title": prepared.loaded.title,
        "weights_sha256": prepared.weights_sha256,
        "epsilons": list(prepared.sweep.epsilons),
        "samples": len(prepared.sweep.workplace.dataset),
        "samples_attacked": probes.samples,
        "seed": prepared.subject.seed,
        "checks": [_check_record(check, finding) for check, finding in findings],
        "curves": curves,
        "missing_attacks": prepared.attacks.missing,
        "probes": probes.to_json(),
        "method": METHOD,
        "runs": list(prepared.runs),
        **{key: manifest[key] for key in provenance},
    }


def _check_record(check: Check, finding: Finding) -> dict[str, Any]:
    return {
        "name": check.name,
        "title": check.title,
        "verdict": finding.verdict,
        "number": finding.number,
        "unit": finding.unit,
        "reason": finding.reason,
        "advice": finding.advice,
        "symptom": check.symptom,
        "source": check.source,
    }


def _page(findings: Findings, summary: Summary) -> str:
    advice = [
        f"- **{escape(check.title)}**: {escape(finding.advice)} *{escape(check.source)}*"
        for check, finding in findings
        if finding.verdict == "fail"
    ]
    parts = [
        f"# {escape(summary.sentence)}\n",
        f"![accuracy over ε, and the checks]({FIGURE})\n",
        markdown_table(summary.checks),
        *(["## What to do\n", *advice, ""] if advice else []),
        markdown_table(summary.attacks),
        escape(METHOD),
    ]
    return "\n".join(parts) + "\n"
