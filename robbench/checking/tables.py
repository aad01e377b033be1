"""What a check report says, as tables and lines."""

from collections import Counter
from typing import get_args

from robbench.checking.contract import Result
from robbench.checking.running import CheckReport
from robbench.text_table import TextTable


def report_tables(report: CheckReport) -> list[TextTable]:
    """Every check with what it found; then, if there is any, the advice."""
    findings = report.findings.items()
    counts = Counter(finding.result for _, finding in findings)
    summary = ", ".join(f"{counts[result]} {result}" for result in get_args(Result) if counts[result])
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
    """The command to type next."""
    request = report.request
    places = "".join(
        f" {option} {value}"
        for option, value in [("--data-dir", request.data_dir), ("--models-dir", request.models_dir)]
        if value
    )
    dataset = "" if request.dataset == "digits" else f" --dataset {request.dataset}"
    if report.failed:
        return f"Mend what failed, then: robbench check {request.defense}{dataset}{places}"
    attacks = "pgd100,bpda" if len(report.views) > 1 else "pgd100"
    return (
        f"Fit to be benchmarked: robbench run --defense {request.defense},pgd-at --attacks {attacks} "
        f"--eps-grid{dataset}{places}"
    )
