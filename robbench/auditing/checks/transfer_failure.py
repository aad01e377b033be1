"""Does it hold that what fools a stand-in fools the defense?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import inconclusive, judge_share

MAJORITY = 50.0


@register_check(
    "transfer-failure",
    "what fools a stand-in fools the defense",
    "Pintor et al. 2022, arXiv:2106.09947, indicator 5",
    "attacks that fall short",
)
def examine(evidence: Evidence) -> Finding:
    """Of stand-ins that predict otherwise than the defense, the best one is judged.

    A stand-in need not be perfect: it is of no use where most of what fools it does not fool the defense.
    """
    stand_ins = evidence.probes.stand_ins
    if not stand_ins:
        return inconclusive("No view of the defense predicts otherwise than the defense itself.")
    view, counts = min(stand_ins.items(), key=lambda item: 1 - item[1].transferred / max(1, item[1].fooled))
    return judge_share(
        counts.fooled - counts.transferred,
        counts.fooled,
        lambda share: (
            f"Of {counts.fooled} samples on which PGD fools the view {view!r}, {share.percent:.1f} % do not "
            "fool the defense"
        ),
        "Do not rely on this stand-in: use one that computes what the defense does (bpda, bpda-smooth).",
        MAJORITY,
        MAJORITY,
    )
