"""Does it hold that gradients keep their direction?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import judge_share

MAJORITY = 50.0


@register_check(
    "unstable-gradients",
    "gradients keep their direction",
    "Pintor et al. 2022, arXiv:2106.09947, indicator 2; Balduzzi et al. 2017, arXiv:1702.08591",
)
def examine(evidence: Evidence) -> Finding:
    """Of two points one step apart, the gradient at one should say something about the gradient at the other.

    Past 60 degrees it shares less than half of its length with the other. PGD lives with that here and there;
    where it is so for most samples, each step follows a direction that the next one does not know.
    """
    return judge_share(
        evidence.probes.turned,
        evidence.probes.compared,
        lambda share: (
            f"On {share.percent:.1f} % of the samples the gradient turns by more than 60° in one step of PGD"
        ),
        "The gradient is shattered: attack another view, or by queries (square, hopskipjump).",
        MAJORITY,
        MAJORITY,
    )
