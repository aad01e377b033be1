"""Does it hold that white-box beats black-box?"""

from robbench.auditing.attacks import BLACK_BOX
from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import Words, compare


@register_check("black-box", "white-box beats black-box", "Athalye et al. 2018, arXiv:1802.00420")
def examine(evidence: Evidence) -> Finding:
    """Who sees the gradient can do whatever who sees the outputs alone can do."""
    words = Words(
        "Square (no gradient)",
        "all white-box attacks together",
        "Report Square or HopSkipJump beside PGD, and look for a view whose gradient is of use.",
    )
    return compare(evidence, (BLACK_BOX,), evidence.white_box, words)
