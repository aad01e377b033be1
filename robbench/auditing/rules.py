"""From a number to a verdict: the thresholds of all checks, and the reasons for them.

A check fails only where its number is beyond doubt, and passes only where there are samples enough to see
what matters; in between it is inconclusive. No threshold was fitted to a defense.
"""

from collections.abc import Callable
from dataclasses import dataclass

from robbench.analysis.advantage import Advantage, ShareBounds, advantage, share_bounds
from robbench.auditing.contract import Evidence, Finding

FALSE_ALARM = 0.05 / 20
"""The chance that one check fails by luck; that of an audit of up to twenty checks is then at most 5 %."""
NEGLIGIBLE = 1.0
"""Points, or percent of the samples. A weaker attack is never ahead by theory; real networks have kinks and
attacks have luck, and what is less than a point is not worth an alarm however many samples prove it."""
MATERIAL = 5.0
"""Points, or percent of the samples, that would change what a reader thinks of a defense. A check passes
where it can exclude them, at 95 %. More steps and restarts may gain up to as much, beyond doubt: they always
gain a little, on the public MNIST network of Madry et al. 2018, which is not masked, 2.8 points."""
FEWEST = 20
"""Samples below which nothing is concluded: not one of 20 still allows a share of 14 %."""


@dataclass(frozen=True)
class Words:
    """How a check speaks of what it compares.

    Attributes:
        ahead: The attack that should not be ahead, in words.
        behind: The attack that should.
        advice: What to do where the check fails.
    """

    ahead: str
    behind: str
    advice: str


def compare(
    evidence: Evidence,
    ahead: tuple[str, ...],
    behind: tuple[str, ...],
    words: Words,
    allowed: float = NEGLIGIBLE,
) -> Finding:
    """Fail where some attacks together are ahead of others that should be stronger.

    Args:
        evidence: What was measured.
        ahead: The attacks that should not be ahead; a sample is broken by any.
        behind: Those that should.
        words: How to say it.
        allowed: Points by which they may be.
    """
    if not ahead:
        return inconclusive(f"There is no {words.ahead} to compare.")
    for name in (*ahead, *behind):
        if name in evidence.missing:
            return inconclusive(f"{name} could not be run: {evidence.missing[name]}")
    if evidence.samples < FEWEST:
        return too_few(evidence)
    found = advantage(evidence.union(ahead), evidence.union(behind), FALSE_ALARM)
    return judge_advantage(found, allowed, words, f"at ε = {evidence.unit.format(found.epsilon)}")


def judge_advantage(found: Advantage, allowed: float, words: Words, where: str) -> Finding:
    """The finding on a difference in accuracy."""
    said = (
        f"{where[0].upper()}{where[1:]}, {found.ahead:.1f} % survive {words.ahead} and {found.behind:.1f} % "
        f"{words.behind}"
    )
    if found.at_least > allowed:
        reason = f"{said}: a difference of at least {found.at_least:.1f} points."
        return Finding("fail", found.points, "points", reason, words.advice)
    if found.at_most < MATERIAL:
        return Finding("pass", found.points, "points", f"{said}.")
    reason = f"{said}: too few samples to exclude a difference of {found.at_most:.1f} points."
    return Finding("inconclusive", found.points, "points", reason, "Give more --samples.")


def judge_share(
    count: int,
    samples: int,
    words: Callable[[ShareBounds], str],
    advice: str,
    allowed: float = NEGLIGIBLE,
    material: float = MATERIAL,
) -> Finding:
    """The finding on a share of the samples that should be next to none.

    Args:
        count: How many.
        samples: Of how many.
        words: Says what they are.
        advice: What to do where the check fails.
        allowed: Percent that are not worth an alarm.
        material: Percent to exclude for a pass.
    """
    if samples < FEWEST:
        return inconclusive(f"Only {samples} samples could be looked at; {FEWEST} are needed.")
    bounds = share_bounds(count, samples, FALSE_ALARM)
    said = words(bounds)
    if bounds.at_least > allowed:
        return Finding("fail", bounds.percent, "%", f"{said}.", advice)
    if bounds.at_most < material:
        return Finding("pass", bounds.percent, "%", f"{said}.")
    limits = f"{allowed:g} %" if allowed == material else f"{allowed:g} to {material:g} %"
    reason = f"{said}: too few samples to tell from {limits}."
    return Finding("inconclusive", bounds.percent, "%", reason, "Give more --samples.")


def inconclusive(reason: str) -> Finding:
    """A check that does not apply."""
    return Finding("inconclusive", None, "", reason)


def too_few(evidence: Evidence) -> Finding:
    """A check that has too little to look at."""
    return inconclusive(
        f"The defense gets {evidence.samples} of the samples right; {FEWEST} are needed to conclude anything."
    )
