"""What a check report says, as tables and lines."""

import shlex
from collections import Counter

from robbench.checking.running import CheckReport, CheckRequest
from robbench.errors import UserError
from robbench.models import find_model
from robbench.text_table import TextTable

BASELINE = "pgd-at"
"""What the next command compares with."""
_PLURALS = {"pass": "passed", "warning": "warnings", "failure": "failures", "skipped": "skipped"}


def report_tables(report: CheckReport) -> list[TextTable]:
    """Every check with what it found; then, if there is any, the advice."""
    findings = report.findings.items()
    counts = Counter(finding.result for _, finding in findings)
    summary = ", ".join(
        f"{counts[result]} {result if counts[result] == 1 and plural.endswith('s') else plural}"
        for result, plural in _PLURALS.items()
        if counts[result]
    )
    tables = [
        TextTable(
            f"{report.title} on {report.request.dataset}: {summary}",
            ("check", "result", "what was found"),
            [(name, finding.result, finding.found) for name, finding in findings],
        )
    ]
    advice = [(name, finding.advice) for name, finding in findings if finding.advice]
    if advice:
        tables.append(TextTable("Advice", ("check", "what to do"), advice))
    return tables


def failure_lines(report: CheckReport) -> list[str]:
    """One line for each check that failed."""
    return [f"{name}: {report.findings[name].found}" for name in report.failed]


def next_step(report: CheckReport) -> str:
    """The command to type next: against adversarial training, where that is trained on the dataset."""
    asked = report.request
    given = [("--dataset", asked.dataset), ("--data-dir", asked.data_dir), ("--models-dir", asked.models_dir)]
    typed = [(option, shlex.quote(str(value))) for option, value in given if value and value != "digits"]
    options, defense = "".join(f" {option} {value}" for option, value in typed), shlex.quote(asked.defense)
    if report.failed:
        return f"Mend what failed, then: robbench check {defense}{options}"
    baseline = f",{BASELINE}" if _is_trained(BASELINE, asked) and asked.defense != BASELINE else ""
    attacks = "pgd100,bpda" if len(report.views) > 1 else "pgd100"
    warned = any(finding.result == "warning" for finding in report.findings.values())
    return (
        f"{'Mind the warnings; it can be benchmarked' if warned else 'Fit to be benchmarked'}: "
        f"robbench run --defense {defense}{baseline} --attacks {attacks} --eps-grid{options}"
    )


def _is_trained(defense: str, asked: CheckRequest) -> bool:
    try:
        find_model(asked.dataset, defense, asked.folders[0])
    except UserError:
        return False
    return True
