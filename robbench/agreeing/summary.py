"""An agreement in sentences: the largest deviation of each attack, and what explains it."""

from typing import Any

import pandas as pd

from robbench.agreeing.contract import Agreement, rows_of
from robbench.agreeing.judging import CHANCE, EQUAL, PARTS, ROUNDING, UNEXPLAINED
from robbench.epsilon import EpsilonUnit
from robbench.figures.titles import printable
from robbench.wording import percent

_CAUSES = {
    EQUAL: "equal to the sample",
    CHANCE: "no more than other random numbers make",
    ROUNDING: "no more than rounding and other random numbers make",
    UNEXPLAINED: "UNEXPLAINED by the causes tried",
}
_PARTS = {
    "precision": "bfloat16 steps",
    "search": "the search",
    "any iterate": "counting any iterate",
    "kept broken": "what is broken staying broken",
    "rest": "the rest",
}


def summarize(agreement: Agreement) -> list[str]:
    """One sentence per defense and attack on the backends, and one on ``robbench run`` beside them."""
    lines = []
    for defense, attack in agreement.subjects():
        subject = f"{agreement.defenses[defense]} under {printable(attack)}"
        lines.append(f"{subject}: {_backends(rows_of(agreement.pairs, defense, attack), agreement.unit)}")
        if len(agreement.ladder):
            own = rows_of(agreement.ladder, defense, attack)
            lines += [f"{subject}: {line}" for line in _as_run(own, agreement.unit)]
    return lines


def _backends(pairs: pd.DataFrame, unit: EpsilonUnit) -> str:
    count = len(set(pairs["first"]) | set(pairs["second"]))
    unexplained = [row for row in pairs.to_dict("records") if row["verdict"] == UNEXPLAINED]
    if unexplained:
        words = [f"{row['first']} and {row['second']}: {row['why']}" for row in unexplained]
        return f"UNEXPLAINED: {'; '.join(words)}."
    if set(pairs["verdict"]) == {EQUAL}:
        return f"all {count} backends are equal to the sample at every ε."
    row = _largest(pairs)
    names, place = f"{row['first']} and {row['second']}", unit.format(row["epsilon"])
    return (
        f"the largest deviation is {abs(row['difference']):.1f} points, {names} at ε = {place}; "
        f"{_CAUSES[row['verdict']]} ({row['why']})."
    )


def _as_run(ladder: pd.DataFrame, unit: EpsilonUnit) -> list[str]:
    """Where ``robbench run`` and a library are farthest apart, and of what that is made."""
    if not any(ladder["difference"]):
        return []
    row = _largest(ladder)
    parts = [f"{row[part]:+.1f} {_PARTS[part]}" for part in PARTS if round(row[part], 1)]
    rest = f" ({_CAUSES[row['rest_is']]})" if round(row["rest"], 1) else ""
    return [
        f"robbench run says {percent(row['run_accuracy'])} and {row['library']} "
        f"{percent(row['library_accuracy'])} at ε = {unit.format(row['epsilon'])}: "
        f"{', '.join(parts).replace('-', '−')}{rest}."
    ]


def _largest(frame: pd.DataFrame) -> dict[str, Any]:
    """The row of the largest difference."""
    return frame.to_dict("records")[int(frame["difference"].abs().argmax())]
