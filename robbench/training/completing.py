"""Taking a training to its end, with reports, looks and checkpoints on the way."""

import math
import time
from dataclasses import replace

import torch

from robbench.errors import UserError
from robbench.models.watch_record import Collapse
from robbench.training.checkpoint import checkpoint_path, save_checkpoint
from robbench.training.observer import TrainingObserver
from robbench.training.probe import Progress
from robbench.training.running import TrainingRun
from robbench.training.watch import Watch
from robbench.wording import percent

REPORT_SECONDS = 0.5


def complete(run: TrainingRun, observer: TrainingObserver) -> None:
    """Take every step that is left, or those up to a collapse where that is to end the training.

    Args:
        run: The training; left in eval mode.
        observer: Told how it goes.

    Raises:
        UserError: The loss is no longer a finite number; a checkpoint cannot be written.
    """
    request, total = run.job.request, run.job.plan.iterations
    observer.on_start(run.step, total)
    saved = time.monotonic()
    try:
        while run.step < total:
            save_at = saved + request.checkpoint_seconds
            left = run.watch.steps_to_next(run.step) if run.watch else total - run.step
            progress = run.stretch(left, min(time.monotonic() + REPORT_SECONDS, save_at))
            _refuse_divergence(run, progress)
            observer.on_progress(run.step, total, progress.loss, progress.accuracy)
            if run.watch and run.watch.due(run.step) and _collapses(run, run.watch, observer):
                break
            if time.monotonic() >= save_at and run.step < total:
                save_checkpoint(checkpoint_path(run.job.weights), run.checkpoint())
                saved = time.monotonic()
    finally:
        run.probe.close()
    run.defense.model.eval()


def _collapses(run: TrainingRun, watch: Watch, observer: TrainingObserver) -> bool:
    """Look at what would be stored now; whether the training ends here."""
    with run.probe.paused(), run.average.applied():
        first = watch.look(run.step)
    if first and watch.record.collapse:
        observer.on_notice(_describe(run.job.request.defense, watch.record.collapse))
    # Not only the first: it may have been seen just before an interruption.
    if watch.record.collapse and run.job.plan.stop_on_collapse:
        watch.record = replace(watch.record, stopped=run.step < run.job.plan.iterations)
        return True
    return False


def _describe(defense: str, collapse: Collapse) -> str:
    best, found = collapse.best, collapse.found
    return (
        f"{defense} collapsed at epoch {found.epoch:g}: on held-out training images it now gets "
        f"{percent(found.pgd)} under PGD (best, at epoch {best.epoch:g}: {percent(best.pgd)}) and "
        f"{percent(found.one_step)} under one step (then {percent(best.one_step)})."
    )


def _refuse_divergence(run: TrainingRun, progress: Progress) -> None:
    request, total = run.job.request, run.job.plan.iterations
    weights_finite = all(torch.isfinite(weight).all() for weight in run.defense.model.parameters())
    if not (math.isfinite(progress.loss) and weights_finite):
        raise UserError(
            f"The training of {request.defense} on {request.info.name} diverged by step {run.step} of "
            f"{total}: the loss was {progress.loss}. No model was written.",
            "Lower the learning rate, as --set learning_rate=1e-4, and train anew with --restart.",
        )
