"""What a finished training leaves: rounded weights, measured as stored, with their card."""

import dataclasses
import math
from datetime import UTC, datetime

import torch
from torch import nn

from robbench.classifier import frozen, predict
from robbench.datasets import Dataset
from robbench.defenses.options import recipe_options
from robbench.models import ModelCard
from robbench.models.weights import halve, save_model
from robbench.provenance import provenance
from robbench.torch_state import plain_torch
from robbench.training.running import TrainingRun

EVALUATION_PIXELS = 16_000_000
"""Values of the images that are classified at once; at most 500 images."""
VERSIONS = ("robbench", "torch", "python")


def store(run: TrainingRun) -> ModelCard:
    """Round a finished training's weights, measure them on the test split, write the model.

    Raises:
        UserError: The place cannot be written.
    """
    job, request = run.job, run.job.request
    # Before the test split is looked at, which may take more.
    memory = run.peak_memory()
    tensors = halve(run.average.state())
    # The rounded weights are the model, so it is they that are measured.
    run.defense.model.load_state_dict(tensors)
    record = provenance(request.device, request.command)
    card = ModelCard(
        defense=request.defense,
        dataset=request.info.name,
        network=job.network,
        options=recipe_options(job.recipe),
        plan=dataclasses.asdict(job.plan),
        seed=request.seed,
        command=request.command,
        seconds=round(run.seconds, 1),
        samples=run.step * min(job.plan.batch_size, len(request.train) - job.plan.held_out),
        n_forward=run.counter.forward,
        n_backward=run.counter.backward,
        device=record["device"],
        precision=run.precision,
        versions={name: record["versions"][name] for name in VERSIONS},
        date=datetime.now(UTC).date().isoformat(),
        clean_accuracy=clean_accuracy(run.defense.model, request.test, request.device),
        test_samples=len(request.test),
        train_fingerprint=request.train.fingerprint,
        test_fingerprint=request.test.fingerprint,
        source=request.train.source,
        budget=str(request.budget or ""),
        peak_memory=memory.bytes,
        memory_measure=memory.measure,
        start=request.start.card.sha256 if request.start else "",
        watch=run.watch.record if run.watch else None,
    )
    return save_model(request.models_dir, card, tensors).card


@plain_torch()
def clean_accuracy(model: nn.Module, dataset: Dataset, device: torch.device) -> float:
    """The share of a dataset that a model classifies right, in float32 and eval mode."""
    correct = 0
    with frozen(model):
        for indices in torch.arange(len(dataset)).split(_batch_size(dataset)):
            images, labels, _ = dataset.samples(indices)
            correct += int((predict(model, images.to(device)).argmax(1).cpu() == labels).sum())
    return correct / len(dataset)


def _batch_size(dataset: Dataset) -> int:
    return min(500, max(1, EVALUATION_PIXELS // math.prod(dataset.shape)))
