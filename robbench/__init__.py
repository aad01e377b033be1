"""robbench: how robust a defense against adversarial examples really is."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robbench.defenses import Defense
    from robbench.defenses.loading import pretrained
    from robbench.errors import UserError
    from robbench.evaluation import Evaluation, evaluate, evaluate_samples

__version__ = "0.1.0"

_HOMES = {
    "Defense": "robbench.defenses",
    "Evaluation": "robbench.evaluation",
    "UserError": "robbench.errors",
    "evaluate": "robbench.evaluation",
    "evaluate_samples": "robbench.evaluation",
    "pretrained": "robbench.defenses.loading",
}

__all__ = ["Defense", "Evaluation", "UserError", "evaluate", "evaluate_samples", "pretrained"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, so that ``import robbench`` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'robbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
