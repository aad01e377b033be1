"""Does it hold that more restarts change little?"""

from robbench.auditing.attacks import MORE_RESTARTS, REFERENCE
from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import MATERIAL, Words, compare


@register_check(
    "more-restarts",
    "more restarts change little",
    "Carlini et al. 2019, arXiv:1902.06705, checklist",
    "attacks that fall short",
)
def examine(evidence: Evidence) -> Finding:
    """Where gradients describe the surface, most starts lead to the same end: five gain little over one."""
    words = Words(
        "5 starts of PGD", "one", "Use more restarts until the accuracy no longer falls (pgd100:restarts=20)."
    )
    return compare(evidence, (MORE_RESTARTS,), (REFERENCE,), words, MATERIAL)
