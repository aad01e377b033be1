"""Judging the claims of a setting: all tests that can be made in one family, then part by part."""

from collections.abc import Sequence

import pandas as pd

from robbench.analysis.claims import (
    UNDECIDED,
    Flags,
    PairedDifference,
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
"""One row per part of a claim. Values are accuracies from 0 to 1 and differences points of them; for a cost
they are passes, and ``difference`` is the share."""
_TABLE = ("setting", "claim", "who claims it", "verdict", "numbers")


def judge_claims(claims: Sequence[Claim], evidence: Evidence) -> pd.DataFrame:
    """The verdict on every claim of a setting, columns as in :data:`COLUMNS`."""
    tested = _run_tests(claims, evidence)
    rows = []
    for claim in claims:
        findings = [part.judge(evidence, tested) for part in claim.parts]
        whole = {
            "dataset": evidence.setting.dataset,
            "epsilon": evidence.setting.epsilon,
            "claim": claim.words,
            "source": claim.source,
            "verdict": judge_together(finding.verdict for finding in findings),
        }
        rows += [
            {**whole, **found.values, "part": part.kind, "part_verdict": found.verdict, "words": found.words}
            for part, found in zip(claim.parts, findings, strict=True)
        ]
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def claims_table(judged: pd.DataFrame) -> TextTable:
    """One row per claim: the verdict, and the numbers of its parts.

    Args:
        judged: Columns as in :data:`COLUMNS`.
    """
    rows = [
        row
        for _, setting in judged.groupby(["dataset", "epsilon"], sort=False)
        for row in _setting_rows(setting)
    ]
    return TextTable("What the papers claim, and what is found", _TABLE, rows)


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
            "; ".join(dict.fromkeys(parts["words"])),
        )
        for words, parts in claims
    ]


def _run_tests(claims: Sequence[Claim], evidence: Evidence) -> dict[Test, PairedDifference]:
    """Every comparison that a claim asks for and whose samples are there."""
    asked = dict.fromkeys(part.test for claim in claims for part in claim.parts if part.test is not None)
    pairs = {test: pair for test in asked if (pair := _pair(test, evidence)) is not None}
    return dict(zip(pairs, paired_differences(list(pairs.values())), strict=True))


def _pair(test: Test, evidence: Evidence) -> tuple[Flags, Flags] | None:
    candidate, baseline, attack = test
    if not {candidate, baseline} <= evidence.subjects.keys():
        return None
    mine, other = (evidence.subjects[name].survived(attack) for name in (candidate, baseline))
    return None if mine is None or other is None else (mine, other)
