"""Does it hold that many steps beat one?"""

from robbench.auditing.attacks import ONE_STEP, REFERENCE
from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import Words, compare


@register_check("one-step", "many steps beat one", "Athalye et al. 2018, arXiv:1802.00420")
def examine(evidence: Evidence) -> Finding:
    """Iterates include images at least as good as one step's, so many steps cannot be worse than one."""
    words = Words(
        "one step (FGSM)",
        "40 steps (PGD)",
        "The gradient misleads iterations: attack another view, or by queries (square, hopskipjump).",
    )
    return compare(evidence, (ONE_STEP,), (REFERENCE,), words)
