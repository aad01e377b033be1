"""Reports: everything that runs found, as one HTML file that needs nothing else; no torch."""

from robbench.reporting.reporting import Reported, ReportRequest, report

__all__ = ["ReportRequest", "Reported", "report"]
