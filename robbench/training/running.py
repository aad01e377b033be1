"""A training in progress: everything that its next step depends on, and that step."""

import dataclasses
import math
import time

import torch
from torch import Tensor, nn

from robbench.classifier import PassCounter
from robbench.datasets import TrainingPlan
from robbench.defenses import TrainingBatch
from robbench.defenses.loading import fill_network, views_of
from robbench.models.watch_record import read_watch
from robbench.networks import build_network
from robbench.randomness import key_of
from robbench.training.averaging import WeightAverage
from robbench.training.batches import Batches
from robbench.training.checkpoint import Checkpoint
from robbench.training.memory import MemoryMeter, PeakMemory
from robbench.training.precision import choose_precision
from robbench.training.probe import Probe, Progress
from robbench.training.request import SettledTraining
from robbench.training.schedules import learning_rate
from robbench.training.watch import Watch, watch_for


class TrainingRun:
    """A training in progress.

    Args:
        job: What is trained, its iterations settled.

    Attributes:
        job: What is trained.
        defense: The defense, on the training's device.
        average: The moving average of its weights, or the weights where none is asked for.
        watch: Looks for catastrophic overfitting; None: nobody does.
        precision: The arithmetic: ``float32`` or ``bfloat16``.
        counter: The passes so far, in earlier processes too.
        step: The steps done so far.
        seconds: The time they took; that of reports, looks and checkpoints is left out.
        probe: Looks at the network while steps are taken.
    """

    def __init__(self, job: SettledTraining) -> None:
        request = job.request
        self.job = job
        self._memory = MemoryMeter(request.device)
        self._earlier_peak = 0
        torch.manual_seed(key_of("weights", request.seed))
        network = build_network(job.network, request.train.shape, request.train.classes)
        if request.start is not None:
            fill_network(network, request.start, request.info)
        self.precision = choose_precision(network, request.device)
        self.defense = job.recipe.wrap(network)
        views_of(self.defense).to(request.device)
        self.defense.model.to(memory_format=torch.channels_last)
        self.average = WeightAverage(self.defense.model, job.plan.averaging)
        self.watch: Watch | None = watch_for(job, self.defense)
        self.counter = PassCounter()
        self.step = 0
        self.seconds = 0.0
        self.probe = Probe(self.defense.network, self.counter, request.device)
        self._optimizer = _make_optimizer(self.defense.model, job.plan)
        self._batches = Batches(request.train, job.plan, request.seed, request.device)
        self._generator = torch.Generator(request.device)
        self._carried: dict[str, Tensor] = {}

    def stretch(self, most: int, until: float = math.inf) -> Progress:
        """Take steps one after another, and wait until the device is done with them.

        Args:
            most: How many at most; at least 1.
            until: The time (of :func:`time.monotonic`) after which no further one is begun.

        Returns:
            Mean loss and accuracy over these steps.
        """
        began = time.monotonic()
        for _ in range(most):
            self._take_step()
            if time.monotonic() >= until:
                break
        progress = self.probe.take()
        self.seconds += time.monotonic() - began
        return progress

    @property
    def place(self) -> str:
        """The kind of device and the arithmetic: seconds and weights would be others elsewhere."""
        return f"{self.job.request.device.type} in {self.precision}"

    def peak_memory(self) -> PeakMemory:
        """The most memory in use so far, in earlier processes too."""
        peak = self._memory.peak()
        return peak._replace(bytes=max(peak.bytes, self._earlier_peak))

    def checkpoint(self) -> Checkpoint:
        """Everything that :meth:`restore` needs to go on from here."""
        return Checkpoint(
            identity=dict(self.job.identity),
            iterations=self.job.plan.iterations,
            step=self.step,
            seconds=self.seconds,
            peak_memory=self.peak_memory().bytes,
            n_forward=self.counter.forward,
            n_backward=self.counter.backward,
            weights=self.defense.model.state_dict(),
            optimizer=self._optimizer.state_dict(),
            average=self.average.checkpoint(),
            carried={name: tensor.detach() for name, tensor in self._carried.items()},
            watch=dataclasses.asdict(self.watch.record) if self.watch else None,
            place=self.place,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same training."""
        self.defense.model.load_state_dict(checkpoint.weights)
        self._optimizer.load_state_dict(dict(checkpoint.optimizer))
        self.average.restore(checkpoint.average)
        self._carried.update(checkpoint.carried)
        self.step, self.seconds = checkpoint.step, checkpoint.seconds
        self._earlier_peak = checkpoint.peak_memory
        self.counter.forward, self.counter.backward = checkpoint.n_forward, checkpoint.n_backward
        if self.watch and checkpoint.watch:
            self.watch.record = read_watch(checkpoint.watch)

    def _take_step(self) -> None:
        plan, recipe = self.job.plan, self.job.recipe
        self.defense.model.train()
        batch = self._next_batch()
        device = self.job.request.device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.precision == "bfloat16"):
            loss = recipe.loss(self.defense, batch)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(plan, self.step)
        self._optimizer.zero_grad()
        loss.backward()
        recipe.after_backward(self.defense, batch)
        self._optimizer.step()
        # Within another autocast, be it one that is off, torch would keep the weights of before as bfloat16.
        torch.clear_autocast_cache()
        self.step += 1
        self.average.update(self.step)
        self.probe.add(loss, batch.labels)

    def _next_batch(self) -> TrainingBatch:
        """The batch of this step, with generators seeded for it.

        All random numbers of a step follow from the seed and the step: a checkpoint needs no generator.
        """
        place, replay = divmod(self.step, self.job.recipe.replays)
        self._seed(self.step - replay)
        images, labels = self._batches.at(place, self._generator)
        if replay:
            # The same images again, augmented alike, but other random numbers for the objective.
            self._seed(self.step)
        return TrainingBatch(images, labels, self._generator, self._carried, self.job.plan.label_smoothing)

    def _seed(self, step: int) -> None:
        """Seed torch's global generator, which serves dropout, and that of batches and objective."""
        key = key_of("step", self.job.request.seed, step)
        torch.manual_seed(key)
        self._generator.manual_seed(key)


def _make_optimizer(model: nn.Module, plan: TrainingPlan) -> torch.optim.Optimizer:
    weights = model.parameters()
    if plan.optimizer == "adam":
        return torch.optim.Adam(weights, plan.learning_rate, weight_decay=plan.weight_decay, fused=True)
    return torch.optim.SGD(
        weights, plan.learning_rate, momentum=0.9, weight_decay=plan.weight_decay, fused=True
    )
