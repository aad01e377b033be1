"""Executors: where the jobs of a plan run."""

from robbench.executors.contract import JobRecord, OutcomeSink, RunObserver, SilentObserver
from robbench.executors.local import run_locally
from robbench.executors.memory import MemorySink

__all__ = ["JobRecord", "MemorySink", "OutcomeSink", "RunObserver", "SilentObserver", "run_locally"]
