"""Training a defense: from a request to a model on disk with its card."""

from dataclasses import replace

from robbench.classifier import seeded
from robbench.errors import UserError
from robbench.models import ModelCard, card_path, read_card
from robbench.models.weights import read_weights
from robbench.torch_state import plain_torch
from robbench.training import restarting
from robbench.training.checkpoint import checkpoint_path, load_checkpoint, readable
from robbench.training.completing import complete
from robbench.training.lock import sole_writer
from robbench.training.observer import SilentTraining, TrainingObserver
from robbench.training.pace import fit_into
from robbench.training.request import (
    SettledTraining,
    TrainingRequest,
    describe_difference,
    identity_of,
    settle,
)
from robbench.training.running import TrainingRun
from robbench.training.storing import store


def train(request: TrainingRequest, observer: TrainingObserver | None = None) -> ModelCard:
    """Train a defense and store it, or go on with a training that was interrupted.

    A training that is killed at any moment and asked for again ends with the weights of an undisturbed one,
    on the same machine and as far as its kernels are deterministic. A model that is there is left alone.
    One that is trained anew goes on, too; for several of one command see :mod:`robbench.training.restarting`.

    Args:
        request: What to train.
        observer: Told how it goes.

    Returns:
        The card of the model, with its clean accuracy on the test split.

    Raises:
        UserError: The request cannot be; a checkpoint or model of another request is in the way; another
            process trains the same; the loss is no longer a number; the place cannot be written.
    """
    job = settle(request)
    watcher = observer or SilentTraining()
    with sole_writer(job.weights):
        if not request.restart and (finished := _finished(job)) is not None:
            watcher.on_notice(f"{job.weights} is there already, trained as asked. --restart trains it anew.")
            return finished
        restarting.begin(job)
        with seeded(request.seed, request.device), plain_torch():
            run = _begin(job)
            complete(run, watcher)
            card = store(run)
        restarting.end(job)
        checkpoint_path(job.weights).unlink(missing_ok=True)
        return card


def _begin(job: SettledTraining) -> TrainingRun:
    """The training at its start, or where its checkpoint says.

    Raises:
        UserError: The checkpoint is damaged, of another request, or of another kind of device.
    """
    path = checkpoint_path(job.weights)
    if not path.exists():
        budget = job.request.budget
        return TrainingRun(fit_into(budget.amount, job) if budget and budget.unit == "seconds" else job)
    checkpoint = load_checkpoint(path, job.request.device)
    if difference := describe_difference(job.identity, checkpoint.identity):
        raise UserError(
            f"The checkpoint {path} is of another training: {difference}.",
            "Ask for the same, delete the file, or train anew with --restart.",
        )
    run = TrainingRun(replace(job, plan=replace(job.plan, iterations=checkpoint.iterations)))
    if checkpoint.place not in ("", run.place):
        raise UserError(
            f"The checkpoint {path} was computed on {checkpoint.place}, and this would go on on {run.place}.",
            "Go on there, by --device or on that machine, or train anew with --restart.",
        )
    with readable(path):
        run.restore(checkpoint)
    return run


def _finished(job: SettledTraining) -> ModelCard | None:
    """The card of the model that was asked for, if it is there, whole and undamaged."""
    # While there is a checkpoint, a model is an earlier one, or was written by a process killed just after.
    present = job.weights.exists() and card_path(job.weights).exists()
    if not present or checkpoint_path(job.weights).exists():
        return None
    stored = read_card(job.weights)
    if difference := describe_difference(job.identity, identity_of(stored.card)):
        raise UserError(
            f"{job.weights} was trained otherwise: {difference}.",
            "Replace it with --restart, or keep both with another --models-dir.",
        )
    read_weights(stored)
    return stored.card
