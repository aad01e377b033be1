"""An audit in one sentence and two tables."""

from typing import NamedTuple

import pandas as pd

from robbench.analysis.verdicts import number_text
from robbench.analysis.worst_of import WORST_OF
from robbench.auditing.attacks import REFERENCE
from robbench.auditing.contract import Check, Finding
from robbench.auditing.preparing import PreparedAudit
from robbench.figures.titles import attack_title, printable
from robbench.text_table import TextTable

Findings = list[tuple[Check, Finding]]

CLEAR = "no sign of masked gradients"


class Summary(NamedTuple):
    """What an audit comes to."""

    sentence: str
    """The verdict, with the accuracy that is left."""
    checks: TextTable
    """Every check with its verdict, its reason and its number."""
    attacks: TextTable
    """Accuracy under every attack, and under the worst of all."""
    curves: pd.DataFrame
    """The same as numbers, columns as in :data:`robbench.schema.CURVES`."""


def summarize(prepared: PreparedAudit, findings: Findings, curves: pd.DataFrame) -> Summary:
    """Say what an audit found.

    Args:
        prepared: The audit.
        findings: Every check's.
        curves: The curves of its attacks, worst-of included.
    """
    name = printable(prepared.loaded.name)
    title = f"{name} on {prepared.info.title}"
    return Summary(
        f"{name}: {verdict(findings)}; {_accuracy(prepared, curves)}.",
        _checks_table(f"{title}: the checks, at ε up to {_largest(prepared)}", findings),
        _attacks_table(f"{title}: accuracy in %, n = {int(curves['n'].iloc[0])}", prepared, curves),
        curves,
    )


def verdict(findings: Findings) -> str:
    """What the checks come to, such as ``masked gradients — 4 of 16 checks fail``."""
    failed = [check for check, finding in findings if finding.verdict == "fail"]
    unsettled = sum(finding.verdict == "inconclusive" for _, finding in findings)
    also = f", {unsettled} inconclusive" if unsettled else ""
    if failed:
        symptoms = sorted({check.symptom for check in failed}, key=lambda text: text != "masked gradients")
        verb = "fails" if len(failed) == 1 else "fail"
        return f"{' and '.join(symptoms)} — {len(failed)} of {len(findings)} checks {verb}{also}"
    passed = len(findings) - unsettled
    if passed <= len(findings) / 2:
        return f"too little to tell — {passed} of {len(findings)} checks pass{also}"
    return f"{CLEAR} — {passed} of {len(findings)} checks pass{also}"


def _accuracy(prepared: PreparedAudit, curves: pd.DataFrame) -> str:
    worst, reference = (
        curves.loc[curves["attack"] == label].sort_values("epsilon").iloc[-1]
        for label in (WORST_OF, prepared.attacks.resolved[REFERENCE].label)
    )
    interval = f"{100 * worst.ci_low:.1f}–{100 * worst.ci_high:.1f}"
    equal = worst.n_correct == reference.n_correct
    beside = "as under PGD" if equal else f"not {100 * reference.robust_accuracy:.1f} % as under PGD"
    return (
        f"accuracy at ε = {_largest(prepared)} is {100 * worst.robust_accuracy:.1f} % ({interval}) under the "
        f"worst of all attacks, {beside}"
    )


def _largest(prepared: PreparedAudit) -> str:
    return prepared.sweep.unit.format(prepared.sweep.epsilons[-1])


def _checks_table(title: str, findings: Findings) -> TextTable:
    rows = [
        (finding.verdict, check.title, finding.reason, number_text(finding.number, finding.unit))
        for check, finding in findings
    ]
    return TextTable(title, ("verdict", "what should hold", "what was found", "number"), rows, numbers=1)


def _attacks_table(title: str, prepared: PreparedAudit, curves: pd.DataFrame) -> TextTable:
    rows = []
    for label, curve in curves.groupby("attack", sort=False):
        head = curve.iloc[0]
        words = attack_title(str(label), str(head["loss"]), str(head["backend"]))
        accuracy = [f"{100 * value:.1f}" for value in curve.sort_values("epsilon")["robust_accuracy"]]
        rows.append((words.name, ", ".join(words.details), *accuracy))
    radii = tuple(f"ε = {prepared.sweep.unit.format(epsilon)}" for epsilon in prepared.sweep.epsilons)
    return TextTable(title, ("attack", "details", *radii), rows, numbers=len(radii))
