"""Auditing: is a defense's robustness real, or do its gradients merely hide where it breaks?"""

from robbench.auditing.contract import Check, Finding, Verdict
from robbench.auditing.preparing import PreparedAudit, prepare_audits
from robbench.auditing.registration import checks, register_check
from robbench.auditing.running import AuditReport, run_audit

__all__ = [
    "AuditReport",
    "Check",
    "Finding",
    "PreparedAudit",
    "Verdict",
    "checks",
    "prepare_audits",
    "register_check",
    "run_audit",
]
