"""Does it hold that the exact gradient beats a stand-in's?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import Words, compare, inconclusive


@register_check(
    "stand-in",
    "the exact gradient beats a stand-in's",
    "Athalye et al. 2018, arXiv:1802.00420",
)
def examine(evidence: Evidence) -> Finding:
    """An approximate gradient cannot be of more use than the true one, unless the true one is masked."""
    if not evidence.stand_ins:
        return inconclusive("The defense names no layer to approximate: its only view is the exact one.")
    words = Words(
        f"PGD on a stand-in ({', '.join(name.partition('=')[2] for name in evidence.stand_ins)})",
        "all white-box attacks together",
        "Report the stand-in's numbers (bpda, bpda-substitute, bpda-smooth): those of PGD are no robustness.",
    )
    return compare(evidence, evidence.stand_ins, evidence.white_box, words)
