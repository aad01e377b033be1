"""Does it hold that gradients find what noise finds?"""

import numpy as np

from robbench.auditing.attacks import NOISE
from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import inconclusive, judge_share, too_few


@register_check("noise", "gradients find what noise finds", "Athalye et al. 2018, arXiv:1802.00420")
def examine(evidence: Evidence) -> Finding:
    """Uniform noise is so weak an attack that every sample it alone breaks counts, not the difference."""
    if NOISE in evidence.missing:
        return inconclusive(evidence.missing[NOISE])
    if not evidence.samples:
        return too_few(evidence)
    noise, white_box = evidence.survivals[NOISE], evidence.white_box_union
    missed = int(np.any(~noise.survived & white_box.survived, axis=1).sum())
    return judge_share(
        missed,
        evidence.samples,
        lambda share: f"Noise breaks {share.percent:.1f} % of the samples where no white-box attack does",
        "The gradient does not point to images that are easy to hit: attack another view, or by queries.",
    )
