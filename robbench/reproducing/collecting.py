"""From runs on the shelf to one tidy table of curves; what was not run has rows that say so."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from robbench.analysis.worst_of import curves_with_worst_of
from robbench.figures.titles import dataset_title, defense_title, without_collapse
from robbench.reproducing.shelf import Shelf, StoredRun
from robbench.reproducing.sweeps import STRATEGIES, PaperRun
from robbench.schema import CURVES, OUTCOMES, arrow_schema
from robbench.wording import either

DONE, NOT_RUN = "done", "not run"
COLUMNS = ["protocol", "state", *(column.name for column in CURVES)]
_NOT_TRAINED = {True: "was not trained by its recipe", False: "were not trained by their recipes"}
_SMOOTH_IS_BPDA = (
    "BPDA through a gentler layer counts as an attack, but under L∞ it is BPDA again: a step follows the "
    "gradient's sign, which no increasing layer changes."
)
_COUNTS = ("n", "n_correct", "seed")
_SHARES = ("epsilon", "robust_accuracy", "ci_low", "ci_high")
_TYPES = dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(_SHARES, "float64")

Found = Mapping[PaperRun, StoredRun | None]
"""What lies on a shelf of some runs; None: nothing."""


def collect_curves(runs: Sequence[PaperRun], shelf: Shelf) -> pd.DataFrame:
    """The curves of runs, those of a run by itself, worst-of included.

    Returns:
        The columns of :data:`robbench.schema.CURVES` after ``protocol`` and ``state``. A run that is missing
        has one row per attack, whose state is ``not run`` and whose numbers are missing.
    """
    tables = []
    for run in runs:
        stored = shelf.stored(run)
        tables.append(_not_run(run) if stored is None else _done(run, stored.curves()))
    return _conform(tables)


def found_on(shelf: Shelf, runs: Iterable[PaperRun]) -> Found:
    """What lies on the shelf of some runs."""
    return {run: shelf.stored(run) for run in runs}


def of_one_model(found: Found) -> Found:
    """As it was found, but for runs of other weights than the newest's: these count as missing."""
    stored = [run for run in found.values() if run is not None]
    newest = max(stored, key=lambda run: run.manifest["created"], default=None)
    return {
        run: None if there is None or newest is None or there.weights != newest.weights else there
        for run, there in found.items()
    }


def collect_together(runs: Found) -> pd.DataFrame:
    """The curves of runs of one model as if they had been one run, so that worst-of counts all of them.

    Args:
        runs: Of one model under one protocol; those that are missing have rows that say so.
    """
    found = [stored for stored in runs.values() if stored is not None]
    tables = [_not_run(run) for run, stored in runs.items() if stored is None]
    if found:
        rows = on_shared_samples([stored.outcomes() for stored in found])
        tables.insert(0, _curves_of(found[0], pd.concat(rows, ignore_index=True)))
    return _conform(tables)


def collect_alike(runs: Found) -> pd.DataFrame:
    """The curves of each run by itself, on the samples that all have: they differ by the model alone.

    Args:
        runs: Those that are missing have rows that say so.
    """
    found = {run: stored for run, stored in runs.items() if stored is not None}
    rows = on_shared_samples([stored.outcomes() for stored in found.values()])
    done = {run: _curves_of(stored, cut) for (run, stored), cut in zip(found.items(), rows, strict=True)}
    return _conform([done[run] if run in done else _not_run(run) for run in runs])


def on_shared_samples(outcomes: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The rows of several runs, cut to the samples that all have: a run holds the first so many."""
    last = min((rows["sample_index"].to_numpy().max() for rows in outcomes), default=0)
    return [rows.loc[rows["sample_index"] <= last] for rows in outcomes]


def _curves_of(stored: StoredRun, rows: pd.DataFrame) -> pd.DataFrame:
    """The curves of some outcome rows over the grid of a run, worst-of included."""
    table = pa.Table.from_pandas(rows, schema=arrow_schema(OUTCOMES), preserve_index=False)
    return _done(stored.run, curves_with_worst_of(table, tuple(stored.manifest["spec"]["eps_grid"])))


def remarks(runs: Found, shelf: Shelf, together: bool = False) -> list[str]:
    """What makes the runs less than the paper's: few samples, other trainings or data, missing parts.

    Args:
        runs: What was found.
        shelf: Where it lies.
        together: Whether of each dataset only the samples are shown that all runs share.
    """
    found = [stored for stored in runs.values() if stored is not None]
    notes = [*_few_samples(found, shelf, together), *_other_trainings(found, shelf), *_other_data(found)]
    notes += [_SMOOTH_IS_BPDA for run in runs if any("-smooth" in attack for attack in run.attacks)]
    done = {_title(stored.run) for stored in found}
    missing = _missing([run for run, stored in runs.items() if stored is None], done)
    return [*dict.fromkeys(notes), *([f"Not run: {', '.join(missing)}."] if missing else [])]


def _missing(runs: Sequence[PaperRun], done: Collection[str]) -> list[str]:
    """Models without a run, by which protocol where the other was, and the attacks of further runs."""
    whole = dict.fromkeys(
        f"{_title(run)}{f' by the {run.protocol} protocol' if _title(run) in done else ''}"
        for run in runs
        if not run.part
    )
    parts = [f"{', '.join(run.attacks)} on {_title(run)}" for run in runs if run.part]
    return [*whole, *(part for part in parts if not any(part.endswith(f" on {title}") for title in whole))]


def _few_samples(found: Sequence[StoredRun], shelf: Shelf, together: bool) -> list[str]:
    counts, wholes = dict[str, set[int]](), dict[str, str]()
    for stored in found:
        training = shelf.training_of(stored)
        if stored.samples is not None:
            dataset = dataset_title(stored.run.training.dataset)
            counts.setdefault(dataset, set()).add(stored.samples)
            wholes |= {dataset: f" of {training['test_samples']:,}"} if training else {}
    return [
        f"{dataset}: the first {either(f'{count:,}' for count in largest_first)}"
        f"{wholes.get(dataset, '')} test images only."
        for dataset, several in counts.items()
        for largest_first in [[min(several)] if together else sorted(several, reverse=True)]
    ]


def _other_trainings(found: Sequence[StoredRun], shelf: Shelf) -> list[str]:
    """Trainings that are shorter than the recipe's, or differ from it otherwise."""
    alike: dict[tuple[str, str], list[str]] = {}
    for stored in found:
        training = shelf.training_of(stored)
        if training is None:
            continue
        iterations, recipe = training["iterations"], training["recipe_iterations"]
        # Adopted weights have none: nobody trained them here.
        is_shorter = 0 < iterations < recipe
        differences = [f"{iterations:,} iterations instead of {recipe:,}"] if is_shorter else []
        differences += [training["deviations"]] if training["deviations"] else []
        if differences:
            key = (dataset_title(stored.run.training.dataset), "; ".join(differences))
            alike.setdefault(key, []).append(_printed(stored))
    return [
        f"{_together(list(dict.fromkeys(names)))} on {dataset} {_NOT_TRAINED[len(set(names)) == 1]}: {what}."
        for (dataset, what), names in alike.items()
    ]


def _printed(stored: StoredRun) -> str:
    """What the run itself calls its defense, unless it has a label here."""
    run = stored.run
    title = stored.manifest["defenses"][run.training.defense].get("title")
    return run.label or without_collapse(title or defense_title(run.name))


def _together(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _other_data(found: Sequence[StoredRun]) -> list[str]:
    return [
        f"The {dataset_title(stored.run.training.dataset)} images are a JPEG copy of the original."
        for stored in found
        if "jpeg" in stored.manifest["dataset"]["source"].lower()
        and stored.run.training.dataset != "imagenet"
    ]


def _title(run: PaperRun) -> str:
    return f"{defense_title(run.name)} on {dataset_title(run.training.dataset)}"


def _done(run: PaperRun, curves: pd.DataFrame) -> pd.DataFrame:
    return curves.assign(protocol=run.protocol, state=DONE, defense=run.name)


def _not_run(run: PaperRun) -> pd.DataFrame:
    known = {
        "protocol": run.protocol,
        "state": NOT_RUN,
        "dataset": run.training.dataset,
        "defense": run.name,
        "norm": "linf",
        "criterion": run.criterion,
        "strategy": STRATEGIES[run.protocol],
    }
    return pd.DataFrame([{**known, "attack": attack} for attack in run.attacks])


def _conform(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    # Types before the joining, so that a table of missing parts does not turn counts into fractions.
    return pd.concat([table.reindex(columns=COLUMNS).astype(_TYPES) for table in tables], ignore_index=True)
