"""Does it hold that the last iterate shows every success?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import judge_share


@register_check(
    "silent-success",
    "the last iterate shows every success",
    "Pintor et al. 2022, arXiv:2106.09947, indicator 3",
    "attacks that fall short",
)
def examine(evidence: Evidence) -> Finding:
    """Who judges every iterate, as robbench does, sees these; who judges the last one alone does not."""
    probes = evidence.probes
    return judge_share(
        probes.silent,
        probes.samples,
        lambda share: (
            f"On {share.percent:.1f} % of the samples PGD passes an adversarial image but does not end on one"
        ),
        "Judge every iterate, as robbench does: numbers of tools that judge the last one are too high here.",
    )
