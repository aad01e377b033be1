"""Does it hold that white-box beats transferred images?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import Words, compare


@register_check(
    "transfer", "white-box beats transferred images", "Carlini et al. 2019, arXiv:1902.06705, checklist"
)
def examine(evidence: Evidence) -> Finding:
    """Images made for another network should not be better than those made for this one."""
    words = Words(
        f"images transferred from {' and '.join(name.partition('=')[2] for name in evidence.transfers)}",
        "all white-box attacks together",
        "Report transfer attacks beside PGD, and look for a view whose gradient is of use.",
    )
    if not evidence.transfers:
        return Finding(
            "inconclusive", None, "", "There is no other trained defense to transfer from on this dataset.",
            "Train one: robbench train --defense natural,pgd-at.",
        )  # fmt: skip
    return compare(evidence, evidence.transfers, evidence.white_box, words)
