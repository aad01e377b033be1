"""From the rows of an audit's runs and its probes to the evidence that checks look at."""

from collections.abc import Mapping

import pandas as pd

from robbench.analysis.survival import Survival, survivals_of
from robbench.auditing.contract import Evidence
from robbench.auditing.preparing import PreparedAudit
from robbench.auditing.probes import Probes
from robbench.errors import UserError
from robbench.preparation import PreparedRun


def gather_evidence(
    prepared: PreparedAudit, outcomes: Mapping[str, pd.DataFrame], probes: Probes
) -> Evidence:
    """The evidence of one audit, over the samples that the defense gets right whenever it is asked.

    Args:
        prepared: The audit.
        outcomes: The rows of its runs, by the names of the runs.
        probes: What was measured directly.

    Raises:
        UserError: The defense gets no sample right every time.
    """
    attacks = prepared.attacks
    tables = _always_right(prepared.loaded.name, outcomes)
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
        unit=prepared.sweep.unit,
    )


def _always_right(defense: str, outcomes: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The rows of the samples that were right unperturbed in every job.

    Clean errors were never attacked, and tell nothing of an attack. A randomized defense makes others in each
    job, and attacks can only be compared on the same samples.
    """
    asked = pd.concat([rows[["sample_index", "clean_correct"]] for rows in outcomes.values()])
    wrong = asked.loc[~asked["clean_correct"], "sample_index"]
    tables = {name: rows.loc[~rows["sample_index"].isin(wrong)] for name, rows in outcomes.items()}
    if not all(map(len, tables.values())):
        raise UserError(
            f"The defense {defense} gets no sample right each time: attacks on it cannot be compared.",
            "Its forward pass is that random. Use more --samples, or average it over several draws.",
        )
    return tables


def _only(outcomes: pd.DataFrame, run: PreparedRun) -> Survival:
    (survival,) = survivals_of(outcomes, run.epsilons).values()
    return survival
