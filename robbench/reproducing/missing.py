"""Running what is missing: everything is found and checked before the first attack starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from robbench.datasets import DatasetInfo, check_count, datasets
from robbench.devices import choose_device
from robbench.errors import UserError
from robbench.models import StoredModel, check_models_dir
from robbench.preparation import PreparedRun, RunSettings, prepare, resolve_attacks
from robbench.reproducing.contract import Target
from robbench.reproducing.registration import ALL
from robbench.reproducing.reproduction import ReproduceRequest, Runner
from robbench.reproducing.shelf import Shelf, StoredRun
from robbench.reproducing.sweeps import PaperRun, Training
from robbench.reproducing.trainings import (
    find_trained,
    missing_models,
    record_trainings,
    settings_for,
    train_missing,
)
from robbench.reproducing.watching import Watcher
from robbench.running import run as run_sweep
from robbench.spec import SweepSpec

Models = dict[Training, StoredModel]


@dataclass(frozen=True)
class Terms:
    """On what terms missing runs are made.

    Attributes:
        samples: How many samples, from the first; None: all. A stored run with more is taken as it is.
        train: Train the models that are missing.
        partial: Leave out what lacks a model or data, and say so, instead of refusing.
        command: The command that asked, for the record; without paths.
    """

    samples: int | None = None
    train: bool = False
    partial: bool = False
    command: str = ""


def run_missing(
    runs: Sequence[PaperRun], shelf: Shelf, settings: RunSettings, terms: Terms, watcher: Watcher
) -> None:
    """Make every run that is not on the shelf as asked, and recompute jobs whose rows were deleted.

    Raises:
        UserError: A model or data are missing, or anything else that cannot be; no attack has then started.
    """
    models = _find_models(runs, settings, terms, watcher)
    record_trainings(models.items(), shelf)
    waiting = [run for run in runs if run.training in models and not _is_done(run, models, shelf, terms)]
    prepared = [
        (run, ready)
        for run in waiting
        if (ready := _prepare(run, models, shelf, settings, terms, watcher)) is not None
    ]
    for position, (run, ready) in enumerate(prepared, start=1):
        folder = shelf.run_folder(run, ready.manifest["identity"])
        watcher.say(
            f"Run {position} of {len(prepared)}: {run.name} on {run.training.dataset}, "
            f"protocol {run.protocol}, {len(ready.workplace.dataset)} samples"
        )
        with watcher.run_progress(len(ready.plan.jobs)) as progress:
            run_sweep(ready, folder, progress)


def _find_models(runs: Sequence[PaperRun], settings: RunSettings, terms: Terms, watcher: Watcher) -> Models:
    trainings = list(dict.fromkeys(run.training for run in runs))
    found = {training: find_trained(training, settings.models_dir) for training in trainings}
    lacking = [training for training, model in found.items() if model is None]
    if lacking and terms.train:
        train_missing(lacking, settings, watcher)
        found |= {training: find_trained(training, settings.models_dir) for training in lacking}
    elif lacking and not terms.partial:
        raise missing_models(lacking)
    for training in lacking:
        if found[training] is None:
            watcher.say(f"Not run, no model: {training.command()}")
    return {training: model for training, model in found.items() if model is not None}


def _is_done(run: PaperRun, models: Models, shelf: Shelf, terms: Terms) -> bool:
    """Whether the shelf has the run, of these weights and attacks, with at least as many samples."""
    stored, samples = shelf.stored(run), _samples(run, models, terms)
    if stored is None or stored.lost_jobs or not _is_same(run, models, stored):
        return False
    return stored.samples is None or (samples is not None and stored.samples >= samples)


def _samples(run: PaperRun, models: Models, terms: Terms) -> int | None:
    """How many samples to take; None: all, also where more are asked for than the test split holds."""
    whole = models[run.training].card.test_samples
    limits = [limit for limit in (terms.samples, run.most) if limit is not None and limit < whole]
    return min(limits, default=None)


def _is_same(run: PaperRun, models: Models, stored: StoredRun) -> bool:
    spec, info = run.spec(None), datasets.get(run.training.dataset)
    there = stored.manifest["spec"]
    return (
        stored.weights == models[run.training].card.sha256
        and tuple(there["attacks"]) == spec.attacks
        and tuple(there["eps_grid"]) == spec.epsilons(info.grid, info.epsilon)
        and (there["sweep"], there["criterion"], there["seed"]) == (spec.sweep, spec.criterion, spec.seed)
        and _is_by_present_code(spec, info, there)
    )


def _is_by_present_code(spec: SweepSpec, info: DatasetInfo, there: dict[str, Any]) -> bool:
    """Whether its attacks are what they were; without their library, what is there is all that can be had."""
    try:
        attacks = resolve_attacks(spec, info, len(info.classes))
    except UserError:
        return True
    return all(there.get(f"code of {attack.label}", "") == attack.code for attack in attacks)


def _prepare(
    run: PaperRun, models: Models, shelf: Shelf, settings: RunSettings, terms: Terms, watcher: Watcher
) -> PreparedRun | None:
    stored = shelf.stored(run)
    samples = _samples(run, models, terms)
    if stored is not None and stored.lost_jobs and _is_same(run, models, stored):
        # The same run again, whatever is asked, so that just the lost jobs are computed.
        samples = stored.samples
    try:
        ready = prepare(run.spec(samples), settings_for(models[run.training], settings), terms.command)
    except UserError as error:
        if not terms.partial:
            raise
        watcher.say(f"Not run: {run.name} on {run.training.dataset}. {error.message}")
        return None
    return ready


def make_runner(request: ReproduceRequest, settings: RunSettings, watcher: Watcher) -> Runner:
    """What makes the missing runs of a request.

    Args:
        request: What is asked.
        settings: Where data and models are, and where it is computed.
        watcher: Told how it goes.

    Raises:
        UserError: No sample is asked for, or a device or a directory of models that is not there.
    """
    # Here and not where a run is made: left to each run, all would be left out as if their data were missing.
    check_count(request.samples)
    choose_device(settings.device)
    if not request.train:  # which makes the directory
        check_models_dir(settings.models_dir)
    terms = Terms(request.samples, request.train, request.partial or ALL in request.names, request.command())

    def make(targets: Sequence[Target], shelf: Shelf) -> None:
        runs = list(dict.fromkeys(run for target in targets for run in target.runs))
        run_missing(runs, shelf, settings, terms, watcher)

    return make
