"""Does it hold that every image has a gradient?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import judge_share


@register_check(
    "unavailable-gradients",
    "every image has a gradient",
    "Pintor et al. 2022, arXiv:2106.09947, indicator 1",
)
def examine(evidence: Evidence) -> Finding:
    """A gradient that is zero in every pixel, NaN or infinite gives an attack no direction."""
    exact = evidence.probes.gradients["exact"]
    others = [
        f"{view} {100 * (counts.zero + counts.not_finite) / max(1, evidence.probes.samples):.1f} %"
        for view, counts in evidence.probes.gradients.items()
        if view != "exact"
    ]
    beside = f"; under other views: {', '.join(others)}" if others else ""
    return judge_share(
        exact.zero + exact.not_finite,
        evidence.probes.samples,
        lambda share: (
            f"{share.percent:.1f} % of the samples have no gradient ({exact.zero} zero, {exact.not_finite} "
            f"not finite; {exact.margin_zero} zero under the margin loss); {100 * exact.zero_pixels:.1f} % "
            f"of all derivatives are zero{beside}"
        ),
        "Where only cross-entropy underflows use pgd-cw; else attack another view (bpda), or by queries.",
    )
