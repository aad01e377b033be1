"""Does it hold that the loss is flat at the end?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import FEWEST, judge_share

MAJORITY = 50.0


@register_check(
    "incomplete-optimization",
    "the loss is flat at the end",
    "Pintor et al. 2022, arXiv:2106.09947, indicator 4",
    "attacks that fall short",
)
def examine(evidence: Evidence) -> Finding:
    """Looks at the samples that PGD did not break: with more steps it might."""
    probes = evidence.probes
    left = probes.samples - probes.broken
    if probes.samples >= FEWEST and left < FEWEST:
        return Finding(
            "pass",
            0.0,
            "%",
            f"PGD breaks {probes.broken} of {probes.samples} samples: little is left to rise.",
        )
    return judge_share(
        probes.rising,
        left,
        lambda share: (
            f"Of {left} samples that PGD does not break, the last quarter of its steps still raises the loss "
            f"of {share.percent:.1f} % by more than 5 % of the whole rise"
        ),
        "Use more steps, or a larger one (pgd400, :relative_step=0.1), until the loss is flat.",
        MAJORITY,
        MAJORITY,
    )
