"""From the rows of an audit's runs and its probes to the evidence that checks look at."""

from collections.abc import Mapping

import pandas as pd

from robbench.analysis.survival import Survival, survivals_of
from robbench.auditing.contract import Evidence
from robbench.auditing.preparing import PreparedAudit
from robbench.auditing.probes import Probes
from robbench.preparation import PreparedRun


def gather_evidence(
    prepared: PreparedAudit, outcomes: Mapping[str, pd.DataFrame], probes: Probes
) -> Evidence:
    """The evidence of one audit, over the samples that the defense gets right.

    Args:
        prepared: The audit.
        outcomes: The rows of its runs, by the names of the runs.
        probes: What was measured directly.
    """
    attacks = prepared.attacks
    # Clean errors were never attacked, and tell nothing of an attack.
    tables = {name: rows.loc[rows["clean_correct"]] for name, rows in outcomes.items()}
    by_label = survivals_of(tables["attacks"], prepared.sweep.epsilons)
    first = tables["each-epsilon"]
    return Evidence(
        survivals={name: by_label[attack.label] for name, attack in attacks.resolved.items()},
        white_box=attacks.white_box,
        stand_ins=tuple(name for name in attacks.stand_ins if name in attacks.resolved),
        transfers=tuple(name for name in attacks.transfers if name in attacks.resolved),
        missing=attacks.missing,
        alone=_only(first, prepared.alone),
        beyond=_only(tables["large-epsilon"], prepared.beyond),
        commonest=int(first["label"].value_counts().max()),
        probes=probes,
        unit=prepared.info.unit,
    )


def _only(outcomes: pd.DataFrame, run: PreparedRun) -> Survival:
    (survival,) = survivals_of(outcomes, run.epsilons).values()
    return survival
