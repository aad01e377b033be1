"""What is known, in the shapes that the figures and the data files need."""

from collections.abc import Sequence

import pandas as pd

from robbench.analysis.worst_of import WORST_OF, worst_of_curve
from robbench.reproducing.collecting import DONE
from robbench.reproducing.fast_training.evidence import Evidence, Subject
from robbench.reproducing.fast_training.seeds import SETTING, over_seeds
from robbench.reproducing.fast_training.settings import BPDA, PGD, YARDSTICK, setting_title
from robbench.schema import CURVES

_COLUMNS = ("setting_epsilon", "training_seed", "title", *(column.name for column in CURVES))
"""Of the curves, the ε of the setting, the training's seed and the title first; worst-of at that ε counts
AutoAttack too."""
_KINDS = {BPDA: "curve", PGD: "plain", WORST_OF: "strongest"}


def curves_table(known: Sequence[Evidence]) -> pd.DataFrame:
    """Every curve, and the worst of all attacks at 0 and at the setting's ε."""
    tables = [
        table.assign(
            setting_epsilon=evidence.setting.epsilon, training_seed=evidence.seed, title=subject.title
        )
        for evidence in known
        for subject in evidence.subjects.values()
        for table in (subject.curves, *_worst(subject))
    ]
    return (
        pd.concat(tables, ignore_index=True).reindex(columns=list(_COLUMNS))
        if tables
        else pd.DataFrame(columns=list(_COLUMNS))
    )


def cost_panels(summary: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The points of each setting for :func:`robbench.figures.training_cost.draw_training_cost`."""
    done = over_seeds(summary)
    known = done.loc[done["worst_of"].notna() & done["n_forward"].notna()]
    points = known.assign(passes=(known["n_forward"] + known["n_backward"]).astype(float))
    return {
        f"{_setting(table)}, n = {table['n_worst'].iloc[0]:,.0f}": table
        for _, table in points.groupby(SETTING, sort=False)
    }


def curve_blocks(summary: pd.DataFrame, curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The points of each setting for :func:`robbench.figures.defense_panels.draw_defense_panels`.

    Of a defense that was trained from several seeds these are the curves of the first.
    """
    blocks = {}
    for (dataset, epsilon), trained in summary.groupby(SETTING, sort=False):  # pyright: ignore[reportGeneralTypeIssues]
        seed = trained["seed"].min()
        table = over_seeds(trained.loc[trained["seed"] == seed])
        if table.empty or set(table["defense"]) == {YARDSTICK}:
            continue  # it is drawn beside the others, and has no panel of its own
        ranked = table.sort_values("worst_of", ascending=False, kind="stable")
        order = {name: place for place, name in enumerate(ranked["defense"])}
        own = curves.loc[(curves["dataset"] == dataset) & (curves["setting_epsilon"] == epsilon)]
        own = own.loc[own["training_seed"] == seed].assign(
            kind=own["attack"].map(_KINDS),
            **{
                name: own["defense"].map(dict(zip(table["defense"], table[name], strict=True)))
                for name in ("has_layer", "remark")
            },
        )
        shown = own["kind"].notna() & ((own["kind"] != "plain") | own["has_layer"])
        shown &= (own["kind"] != "strongest") | (own["epsilon"] == epsilon)
        seeds = trained.loc[trained["state"] == DONE, "seed"].nunique()
        from_seed = f", trainings from seed {seed}" if seeds > 1 else ""
        blocks[f"{_setting(table)}, {_counts(table)}{from_seed}"] = own.loc[shown].sort_values(
            "defense", key=lambda names: names.map(order)
        )
    return blocks


def _worst(subject: Subject) -> list[pd.DataFrame]:
    """The worst-of curve; empty where an attack is missing."""
    survival = subject.survivals.get(WORST_OF)
    return [] if survival is None else [worst_of_curve(subject.curves, survival)]


def _setting(table: pd.DataFrame) -> str:
    head = table.iloc[0]
    return setting_title(head["dataset"], head["epsilon"])


def _counts(table: pd.DataFrame) -> str:
    """Of how many images the curves are, and the mark of the strongest attack where those are fewer."""
    head = table.iloc[0]
    fewer = head["n_worst"] < head["n"]
    return f"n = {head['n']:,.0f}" + (f", of AutoAttack {head['n_worst']:,.0f}" if fewer else "")
