"""Comparing defenses with a baseline: from folders of runs to tables, verdicts and figures; no torch."""

from robbench.comparing.comparing import compare, find_differences
from robbench.comparing.contract import Compared, ComparedDataset, ComparisonRequest
from robbench.comparing.gathering import gather

__all__ = ["Compared", "ComparedDataset", "ComparisonRequest", "compare", "find_differences", "gather"]
