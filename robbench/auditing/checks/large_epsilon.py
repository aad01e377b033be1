"""Is there no accuracy beyond chance at ε = 0.5?"""

from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import FEWEST, NEGLIGIBLE, too_few

GREY = 0.5


@register_check(
    "large-epsilon",
    "no accuracy beyond chance at ε = 0.5",
    "Carlini et al. 2019, arXiv:1902.06705, checklist",
)
def examine(evidence: Evidence) -> Finding:
    """At ε = 0.5 all images can be made one grey, which gets one class: an exact bound, without chance."""
    if evidence.samples < FEWEST:
        return too_few(evidence)
    survived = evidence.beyond.at((GREY,)).survived
    bound = 100 * evidence.commonest / evidence.samples
    accuracy = 100 * float(survived.mean())
    said = (
        f"At ε = 0.5 PGD leaves {accuracy:.1f} %; all images can be made one grey there, which leaves "
        f"{bound:.1f} % at most."
    )
    if accuracy - bound >= NEGLIGIBLE:
        advice = "PGD misses images that are there for certain: do not trust its numbers at smaller ε either."
        return Finding("fail", accuracy - bound, "points", said, advice)
    return Finding("pass", accuracy - bound, "points", said)
