"""Does it hold that a larger ε never helps the defense?"""

from robbench.analysis.advantage import rise
from robbench.auditing.contract import Evidence, Finding
from robbench.auditing.registration import register_check
from robbench.auditing.rules import FALSE_ALARM, FEWEST, NEGLIGIBLE, Words, judge_advantage, too_few


@register_check(
    "non-monotone", "a larger ε never helps the defense", "Carlini et al. 2019, arXiv:1902.06705, checklist"
)
def examine(evidence: Evidence) -> Finding:
    """Whatever a smaller ball holds, a larger one holds too. Each ε by itself, judged at the last iterate."""
    if evidence.samples < FEWEST:
        return too_few(evidence)
    found = rise(evidence.alone, FALSE_ALARM)
    words = Words(
        "PGD at a smaller ε",
        "PGD at this one",
        "The attack goes astray in large balls: count a sample as broken above the ε that broke it, as the "
        "sweeps survivors and auto do, and attack another view.",
    )
    return judge_advantage(found, NEGLIGIBLE, words, f"at ε = {evidence.unit.format(found.epsilon)}")
