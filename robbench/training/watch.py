"""Looking for catastrophic overfitting while a network trains."""

import math
import time
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from robbench.classifier import CountedModel, PassCounter, frozen, predict
from robbench.datasets import Dataset
from robbench.defenses import Defense
from robbench.defenses.options import recipe_options
from robbench.defenses.perturbation import ascend, linf_ball, summed_cross_entropy, uniform_noise
from robbench.models.watch_record import Look, WatchRecord, find_collapse
from robbench.randomness import key_of
from robbench.tensors import Images, Labels
from robbench.training.batches import held_out_indices, steps_per_epoch
from robbench.training.request import SettledTraining

PGD_STEPS = 10
PGD_STEP = 0.25
"""Length of a step of PGD, as a share of ε; 2/255 at ε = 8/255."""
MOST_LOOKS = 50
"""Looks in a training: where its epochs are more, only some end with one."""
SHOWN = 40
"""Training images shown between two looks, at least, for each image that a look sees. A look takes 25 passes
an image and a single-step training 4, so looking costs about a sixth of it, however short its epochs, and a
third of one that takes 2."""
BATCH, BATCH_VALUES = 500, 4_000_000
"""Images in one pass at most, and their pixel values: of large images, gradients of 500 fit in no memory."""


class WatchTerms(NamedTuple):
    """What is looked at, and when.

    Attributes:
        dataset: The training split.
        held_out: Positions of the images that are not trained on.
        epsilon: Radius of both attacks in linf, in pixel scale.
        steps_per_epoch: Optimizer steps in a pass over the training images.
        iterations: Optimizer steps in all.
        seed: The training's.
    """

    dataset: Dataset
    held_out: Tensor
    epsilon: float
    steps_per_epoch: int
    iterations: int
    seed: int


class Watch:
    """Looks at a network on images that it is not trained on: clean, under one step, under PGD.

    Both attacks differentiate the view ``bpda`` where a defense has one, and are judged on the exact model.

    Args:
        defense: The defense that is trained.
        terms: What is looked at, and when.
        device: Where it is trained.

    Attributes:
        record: What was seen so far.
    """

    def __init__(self, defense: Defense, terms: WatchTerms, device: torch.device) -> None:
        self._terms = terms
        self._device = device
        self._model = defense.model
        self._view = defense.view("bpda" if "bpda" in defense.views else "exact")
        self._interval = _epochs_apart(terms) * terms.steps_per_epoch
        self.record = WatchRecord(terms.epsilon, len(terms.held_out))

    def due(self, step: int) -> bool:
        """Whether a look belongs after so many steps."""
        return step % self._interval == 0 or step == self._terms.iterations

    def steps_to_next(self, step: int) -> int:
        """Steps from here to the next look; at least 1."""
        return min(self._interval - step % self._interval, self._terms.iterations - step)

    def look(self, step: int) -> bool:
        """Look now, and add it to the record.

        Args:
            step: Steps done.

        Returns:
            Whether this look is the first that shows a collapse.
        """
        began, passes = time.monotonic(), PassCounter()
        exact, view = CountedModel(self._model, passes), CountedModel(self._view, passes)
        generator = torch.Generator(self._device).manual_seed(key_of("watch", self._terms.seed, step))
        with frozen(exact, view):
            clean, one_step, pgd = self._accuracies(exact, view, generator)
        looks = (*self.record.looks, Look(step, step / self._terms.steps_per_epoch, clean, one_step, pgd))
        collapse = find_collapse(looks, self.record.samples, self._terms.dataset.classes)
        first = self.record.collapse is None and collapse is not None
        self.record = replace(
            self.record,
            looks=looks,
            collapse=collapse,
            seconds=self.record.seconds + time.monotonic() - began,
            n_forward=self.record.n_forward + passes.forward,
            n_backward=self.record.n_backward + passes.backward,
        )
        return first

    def _accuracies(self, exact: nn.Module, view: nn.Module, generator: torch.Generator) -> list[float]:
        """The shares classified right: clean, after one step, after PGD."""
        right = torch.zeros(3, dtype=torch.int64, device=self._device)
        size = min(BATCH, max(1, BATCH_VALUES // math.prod(self._terms.dataset.shape)))
        for indices in self._terms.held_out.split(size):
            images, labels, _ = self._terms.dataset.samples(indices)
            images, labels = images.to(self._device), labels.to(self._device)
            versions = (
                images,
                self._one_step(view, images, labels),
                self._pgd(view, images, labels, generator),
            )
            right += torch.stack([(predict(exact, seen).argmax(1) == labels).sum() for seen in versions])
        return (right.double() / len(self._terms.held_out)).tolist()

    def _one_step(self, view: nn.Module, images: Images, labels: Labels) -> Images:
        """FGSM (Goodfellow et al. 2014, arXiv:1412.6572)."""
        epsilon = self._terms.epsilon
        ball, loss = linf_ball(images, epsilon), summed_cross_entropy(labels)
        return ascend(view, images, ball, loss, step_size=epsilon)

    def _pgd(self, view: nn.Module, images: Images, labels: Labels, generator: torch.Generator) -> Images:
        """PGD from a uniform point of the ball (Madry et al. 2018, arXiv:1706.06083)."""
        epsilon = self._terms.epsilon
        ball, loss = linf_ball(images, epsilon), summed_cross_entropy(labels)
        start = ball.project(images + uniform_noise(images, epsilon, generator))
        return ascend(view, start, ball, loss, step_size=PGD_STEP * epsilon, steps=PGD_STEPS)


def _epochs_apart(terms: WatchTerms) -> int:
    epochs = terms.iterations / terms.steps_per_epoch
    held_out = len(terms.held_out)
    return math.ceil(max(epochs / MOST_LOOKS, SHOWN * held_out / (len(terms.dataset) - held_out)))


def watch_for(job: SettledTraining, defense: Defense) -> Watch | None:
    """The watch that a training asks for; None where it holds out no images.

    ε is the one that the defense trains at, or the dataset's for adversarial training where it has none.

    Args:
        job: The training.
        defense: Its defense, on the training's device.
    """
    request, plan = job.request, job.plan
    if not plan.held_out:
        return None
    terms = WatchTerms(
        dataset=request.train,
        held_out=held_out_indices(len(request.train), plan.held_out),
        epsilon=float(recipe_options(job.recipe).get("epsilon", request.info.inner_attack.epsilon)),
        steps_per_epoch=steps_per_epoch(len(request.train), plan),
        iterations=plan.iterations,
        seed=request.seed,
    )
    return Watch(defense, terms, request.device)
