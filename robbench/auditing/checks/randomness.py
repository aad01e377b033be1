"""Does it hold that the forward pass is deterministic?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.defenses.expectation import ROUNDING


@register_check(
    "randomness",
    "the forward pass is deterministic",
    "Athalye et al. 2018, arXiv:1802.00420",
    "a randomized forward pass",
)
def examine(evidence: Evidence) -> Finding:
    """A property and no share of samples: one image whose logits differ shows it."""
    probes = evidence.probes
    percent = 100 * probes.changed / probes.classified
    said = (
        f"Of {probes.classified} images classified {probes.evaluations} times, {percent:.1f} % change their "
        f"class; logits differ by up to {100 * probes.spread:.3g} % of their standard deviation"
    )
    if probes.spread <= ROUNDING:
        return Finding("pass", percent, "%", f"{said}.")
    advice = (
        "Attack the expectation over the randomness (EOT), and score an image by several evaluations. This "
        f"audit did both: all else here is about the mean of {probes.evaluations} draws."
    )
    return Finding("fail", percent, "%", f"{said}.", advice)
