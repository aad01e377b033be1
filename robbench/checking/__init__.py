"""Checking that a defense is fit to be benchmarked, before anything attacks it."""

from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.checking.running import CheckReport, CheckRequest, check
from robbench.checking.tables import failure_lines, next_step, report_tables

__all__ = [
    "CheckReport",
    "CheckRequest",
    "Finding",
    "Subject",
    "check",
    "failure_lines",
    "next_step",
    "register_check",
    "report_tables",
]
