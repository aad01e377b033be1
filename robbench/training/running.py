"""A training in progress: its steps, its reports, its checkpoints."""

import math
import time

import torch
from torch import Tensor, nn

from robbench.classifier import PassCounter
from robbench.datasets import TrainingPlan
from robbench.defenses import TrainingBatch
from robbench.errors import UserError
from robbench.networks import build_network
from robbench.randomness import key_of
from robbench.training.batches import Batches
from robbench.training.checkpoint import Checkpoint, checkpoint_path, load_checkpoint, save_checkpoint
from robbench.training.observer import TrainingObserver
from robbench.training.precision import choose_precision
from robbench.training.probe import Probe
from robbench.training.request import SettledTraining, describe_difference
from robbench.training.schedules import learning_rate

REPORT_SECONDS = 0.5


class TrainingRun:
    """A training in progress.

    Args:
        job: What is trained.

    Attributes:
        job: What is trained.
        defense: The defense, on the training's device.
        precision: The arithmetic: ``float32`` or ``bfloat16``.
        counter: The passes so far.
        step: The steps done so far.
        seconds: The time they took, in earlier processes too.
    """

    def __init__(self, job: SettledTraining) -> None:
        request = job.request
        self.job = job
        torch.manual_seed(key_of("weights", request.seed))
        network = build_network(job.network, request.train.shape, request.train.classes)
        self.precision = choose_precision(network, request.device)
        self.defense = job.recipe.wrap(network)
        self.defense.model.to(request.device).to(memory_format=torch.channels_last)
        self.counter = PassCounter()
        self.step = 0
        self.seconds = 0.0
        self._optimizer = _make_optimizer(self.defense.model, job.plan)
        self._batches = Batches(request.train, job.plan, request.seed, request.device)
        self._generator = torch.Generator(request.device)
        self._carried: dict[str, Tensor] = {}

    def resume(self) -> None:
        """Take up the checkpoint, if there is one.

        Raises:
            UserError: It is damaged, or of another request.
        """
        path = checkpoint_path(self.job.weights)
        if not path.exists():
            return
        checkpoint = load_checkpoint(path, self.job.request.device)
        if difference := describe_difference(self.job.identity, checkpoint.identity):
            raise UserError(
                f"The checkpoint {path} is of another training: {difference}.",
                "Ask for the same, delete the file, or train anew with --restart.",
            )
        self.defense.model.load_state_dict(checkpoint.weights)
        self._optimizer.load_state_dict(dict(checkpoint.optimizer))
        self.step, self.seconds = checkpoint.step, checkpoint.seconds
        self.counter.forward, self.counter.backward = checkpoint.n_forward, checkpoint.n_backward

    def finish(self, observer: TrainingObserver) -> None:
        """Take every step that is left, with reports and checkpoints on the way.

        Raises:
            UserError: The loss is no longer a finite number; a checkpoint cannot be written.
        """
        total = self.job.plan.iterations
        observer.on_start(self.step, total)
        self.defense.model.train()
        probe = Probe(self.defense.network, self.counter, self.job.request.device)
        try:
            self._take_steps(probe, observer, total)
        finally:
            probe.close()
        self.defense.model.eval()

    def _take_steps(self, probe: Probe, observer: TrainingObserver, total: int) -> None:
        counted = reported = saved = time.monotonic()
        while self.step < total:
            self._take_step(probe)
            now = time.monotonic()
            save_due = now - saved >= self.job.request.checkpoint_seconds and self.step < total
            if save_due or now - reported >= REPORT_SECONDS or self.step == total:
                self._report(probe, observer, total)
                reported = time.monotonic()
                self.seconds += reported - counted
                counted = reported
            if save_due:
                self._save()
                saved = time.monotonic()

    def _take_step(self, probe: Probe) -> None:
        request, plan = self.job.request, self.job.plan
        # All random numbers of a step follow from the seed and the step: a checkpoint needs no generator.
        # torch's global one serves dropout, the other the batches and the defense.
        key = key_of("step", request.seed, self.step)
        torch.manual_seed(key)
        self._generator.manual_seed(key)
        images, labels = self._batches.at(self.step, self._generator)
        batch = TrainingBatch(images, labels, self._generator, self._carried)
        with torch.autocast(request.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            loss = self.job.recipe.loss(self.defense, batch)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(plan, self.step)
        self._optimizer.zero_grad()
        loss.backward()
        self.job.recipe.after_backward(self.defense, batch)
        self._optimizer.step()
        self.step += 1
        probe.add(loss, labels)

    def _report(self, probe: Probe, observer: TrainingObserver, total: int) -> None:
        loss, accuracy = probe.take()
        weights_finite = all(torch.isfinite(weight).all() for weight in self.defense.model.parameters())
        if not (math.isfinite(loss) and weights_finite):
            request = self.job.request
            raise UserError(
                f"The training of {request.defense} on {request.info.name} diverged by step {self.step} of "
                f"{total}: the loss was {loss}. No model was written.",
                "Lower the learning rate, as --set learning_rate=1e-4, and train anew with --restart.",
            )
        observer.on_progress(self.step, total, loss, accuracy)

    def _save(self) -> None:
        checkpoint = Checkpoint(
            identity=dict(self.job.identity),
            step=self.step,
            seconds=self.seconds,
            n_forward=self.counter.forward,
            n_backward=self.counter.backward,
            weights=self.defense.model.state_dict(),
            optimizer=self._optimizer.state_dict(),
        )
        save_checkpoint(checkpoint_path(self.job.weights), checkpoint)


def _make_optimizer(model: nn.Module, plan: TrainingPlan) -> torch.optim.Optimizer:
    weights = model.parameters()
    if plan.optimizer == "adam":
        return torch.optim.Adam(weights, plan.learning_rate, weight_decay=plan.weight_decay, fused=True)
    return torch.optim.SGD(
        weights, plan.learning_rate, momentum=0.9, weight_decay=plan.weight_decay, fused=True
    )
