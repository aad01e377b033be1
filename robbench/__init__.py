"""robbench: how robust a defense against adversarial examples really is."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robbench.checking import CheckRequest, check
    from robbench.comparing import ComparisonRequest, compare
    from robbench.defenses import Defense
    from robbench.defenses.loading import pretrained
    from robbench.errors import RobustnessWarning, UserError
    from robbench.evaluation import Evaluation, evaluate, evaluate_samples
    from robbench.figures.plotting import plot
    from robbench.reporting.reporting import ReportRequest, report

__version__ = "0.1.0"

_HOMES = {
    "CheckRequest": "robbench.checking",
    "ComparisonRequest": "robbench.comparing",
    "Defense": "robbench.defenses",
    "Evaluation": "robbench.evaluation",
    "ReportRequest": "robbench.reporting.reporting",
    "RobustnessWarning": "robbench.errors",
    "UserError": "robbench.errors",
    "check": "robbench.checking",
    "compare": "robbench.comparing",
    "evaluate": "robbench.evaluation",
    "evaluate_samples": "robbench.evaluation",
    "plot": "robbench.figures.plotting",
    "pretrained": "robbench.defenses.loading",
    "report": "robbench.reporting.reporting",
}

__all__ = [
    "CheckRequest",
    "ComparisonRequest",
    "Defense",
    "Evaluation",
    "ReportRequest",
    "RobustnessWarning",
    "UserError",
    "check",
    "compare",
    "evaluate",
    "evaluate_samples",
    "plot",
    "pretrained",
    "report",
]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, so that ``import robbench`` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'robbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
