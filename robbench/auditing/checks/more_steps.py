"""Does it hold that more steps change little?"""

from robbench.auditing.attacks import MORE_STEPS, REFERENCE
from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import MATERIAL, Words, compare


@register_check(
    "more-steps",
    "more steps change little",
    "Carlini et al. 2019, arXiv:1902.06705, checklist",
    "attacks that fall short",
)
def examine(evidence: Evidence) -> Finding:
    """An attack that has converged gains next to nothing from four times the steps."""
    words = Words("160 steps of PGD", "40 steps", "Use more steps until the accuracy no longer falls.")
    return compare(evidence, (MORE_STEPS,), (REFERENCE,), words, MATERIAL)
