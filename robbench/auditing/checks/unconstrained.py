"""Does it hold that an unbounded attack breaks everything?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import inconclusive, judge_share


@register_check(
    "unconstrained",
    "an unbounded attack breaks everything",
    "Athalye et al. 2018, arXiv:1802.00420; Pintor et al. 2022, arXiv:2106.09947, indicator 6",
)
def examine(evidence: Evidence) -> Finding:
    """At ε = 1 the ball holds every image there is, one of another class among them if any is known."""
    if evidence.commonest == evidence.samples:
        # Who calls everything one class cannot be broken at any ε, and PGD then misses nothing.
        return inconclusive(
            f"The defense gets samples of one class only right, {evidence.samples} of them: it may know no "
            "other."
        )
    left = int(evidence.beyond.at((1.0,)).survived.sum())
    return judge_share(
        left,
        evidence.samples,
        lambda share: f"At ε = 1, where every image is allowed, PGD leaves {share.percent:.1f} %",
        "PGD misses images that are there for certain: do not trust its numbers at smaller ε either.",
    )
