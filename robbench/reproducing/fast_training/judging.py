"""Judging the claims of a setting: all its tests in one family, then seed by seed and part by part."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from robbench.analysis.claims import (
    UNDECIDED,
    Flags,
    PairedDifference,
    judge_repeated,
    judge_together,
    paired_differences,
)
from robbench.reproducing.collecting import NOT_RUN
from robbench.reproducing.fast_training.claims import Claim
from robbench.reproducing.fast_training.evidence import Evidence
from robbench.reproducing.fast_training.parts import Test
from robbench.reproducing.fast_training.settings import setting_title
from robbench.text_table import TextTable

COLUMNS = (
    "dataset",
    "epsilon",
    "claim",
    "source",
    "verdict",
    "seed",
    "seed_verdict",
    "part",
    "candidate",
    "baseline",
    "attack",
    "n",
    "candidate_value",
    "baseline_value",
    "difference",
    "ci_low",
    "ci_high",
    "p_holm",
    "part_verdict",
    "words",
)
"""One row per claim, seed of the trainings and part. Values are accuracies from 0 to 1 and differences points
of them; for a cost they are passes, and ``difference`` is the share. ``verdict`` is what all seeds say."""
_TABLE = ("setting", "claim", "who claims it", "verdict", "numbers")
_Tested = dict[Test, PairedDifference]


def judge_claims(claims: Sequence[Claim], known: Sequence[Evidence]) -> pd.DataFrame:
    """The verdict on every claim of a setting, columns as in :data:`COLUMNS`.

    A seed counts where all defenses of the claim were attacked; where there is none, the first stands for it.

    Args:
        claims: The claims.
        known: The evidence of the setting, seed by seed.
    """
    tested = _run_tests(claims, known)
    rows = [row for claim in claims for row in _judge(claim, known, tested)]
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def claims_table(judged: pd.DataFrame) -> TextTable:
    """One row per claim: the verdict, the numbers of its parts from the first seed, and what the others say.

    Args:
        judged: Columns as in :data:`COLUMNS`.
    """
    rows = [
        row
        for _, setting in judged.groupby(["dataset", "epsilon"], sort=False)
        for row in _setting_rows(setting)
    ]
    return TextTable("What the papers claim, and what is found", _TABLE, rows)


def _judge(claim: Claim, known: Sequence[Evidence], tested: Sequence[_Tested]) -> list[dict[str, Any]]:
    """The rows of one claim."""
    names = {name for part in claim.parts for name in part.names}
    complete = [pair for pair in zip(known, tested, strict=True) if names <= pair[0].subjects.keys()]
    judged = [
        (evidence, [part.judge(evidence, differences) for part in claim.parts])
        for evidence, differences in complete or [(known[0], tested[0])]
    ]
    verdicts = [judge_together(found.verdict for found in findings) for _, findings in judged]
    return [
        {
            "dataset": evidence.setting.dataset,
            "epsilon": evidence.setting.epsilon,
            "claim": claim.words,
            "source": claim.source,
            "verdict": judge_repeated(verdicts),
            "seed": evidence.seed,
            "seed_verdict": verdict,
            **found.values,
            "part": part.kind,
            "part_verdict": found.verdict,
            "words": found.words,
        }
        for (evidence, findings), verdict in zip(judged, verdicts, strict=True)
        for part, found in zip(claim.parts, findings, strict=True)
    ]


def _setting_rows(judged: pd.DataFrame) -> list[tuple[str, ...]]:
    """The rows of one setting; a single one where nothing of it was run."""
    head = judged.iloc[0]
    setting = setting_title(head["dataset"], head["epsilon"])
    claims = [(str(words), parts) for words, parts in judged.groupby("claim", sort=False)]
    if not judged["candidate_value"].notna().to_numpy().any() and set(judged["verdict"]) == {UNDECIDED}:
        return [(setting, f"{len(claims)} claims", "", UNDECIDED, NOT_RUN)]
    return [
        (
            setting,
            words,
            parts["source"].iloc[0],
            parts["verdict"].iloc[0],
            _numbers(parts),
        )
        for words, parts in claims
    ]


def _numbers(parts: pd.DataFrame) -> str:
    """The words of a claim's parts from the first seed, and the verdicts from the others."""
    (first, shown), *others = parts.groupby("seed")
    words = "; ".join(dict.fromkeys(shown["words"]))
    if not others:
        return words
    verdicts = [f"seed {seed} {rows['seed_verdict'].iloc[0]}" for seed, rows in others]
    return f"seed {first}: {words}; {', '.join(verdicts)}"


def _run_tests(claims: Sequence[Claim], known: Sequence[Evidence]) -> list[_Tested]:
    """Every comparison that a claim asks for and whose samples are there, by seed."""
    asked = dict.fromkeys(part.test for claim in claims for part in claim.parts if part.test is not None)
    pairs = {
        (evidence.seed, test): pair
        for evidence in known
        for test in asked
        if (pair := _pair(test, evidence)) is not None
    }
    found = dict(zip(pairs, paired_differences(list(pairs.values())), strict=True))
    return [
        {test: difference for (seed, test), difference in found.items() if seed == evidence.seed}
        for evidence in known
    ]


def _pair(test: Test, evidence: Evidence) -> tuple[Flags, Flags] | None:
    candidate, baseline, attack = test
    if not {candidate, baseline} <= evidence.subjects.keys():
        return None
    mine, other = (evidence.subjects[name].survived(attack) for name in (candidate, baseline))
    return None if mine is None or other is None else (mine, other)
