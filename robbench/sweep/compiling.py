"""Passes made faster by torch.compile, where a trial shows that it pays within the job."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from robbench.classifier import CountedModel
from robbench.datasets import Dataset
from robbench.sweep.batch_size import inside
from robbench.sweep.gradients import Gradients, Models
from robbench.sweep.rate import passes_per_second, uncounted
from robbench.tensors import Images, Labels, Logits

PAYS_FROM = 600.0
"""Seconds that a job must take as it is: to make a program takes about one minute."""
GAIN = 1.1
"""How many times as fast the program must be."""
TRIED = 32
"""Samples of a trial on a CPU, on which they tell the rate; any other device is at work in a whole pass."""
TRIAL_SHARE = 100
"""A job makes so many times the passes by which its length is estimated, or they would be a part of it."""
CLOSE = 1e-3
"""How far a program's logits and gradients may be off from float32's, as a share of an image's largest."""
ROUGHER = 1.5
"""How many times as far off as the model's own they may be, where that is more: bfloat16 is by hundredths."""
SAME = 0.9
"""Share of the samples of which that must hold: for the others a rounding may be much."""
BACKEND = "inductor"


def long_enough(gradients: Gradients, dataset: Dataset) -> bool:
    """Whether a job is so long that a program may pay: a few passes tell.

    Args:
        gradients: What makes the passes.
        dataset: What will be attacked.
    """
    passes = len(dataset) * (gradients.attack.steps or 1)
    is_forbidden = os.environ.get("TORCH_COMPILE_DISABLE", "0") not in ("", "0")
    if is_forbidden or not gradients.attack.uses_gradient or passes < TRIAL_SHARE * 4 * _tried(gradients):
        return False
    with uncounted(gradients.target):
        rate = passes_per_second(gradients, *_trial_batch(gradients, dataset))
    threads = torch.get_num_threads() if gradients.target.device.type == "cpu" else 1
    return passes / (rate * threads) >= PAYS_FROM


def compiled_if_sound(gradients: Gradients, dataset: Dataset, must_be_faster: bool = True) -> Models | None:
    """The models of a target as programs of torch.compile; None where they fail, disagree or do not pay.

    Nothing rests on a program: what it finds is judged by the exact classifier itself.

    Args:
        gradients: What makes the passes.
        dataset: What will be attacked.
        must_be_faster: Whether they are timed; otherwise an earlier process has done that.
    """
    batch = _trial_batch(gradients, dataset)
    with uncounted(gradients.target), _quietly():
        try:
            # First: a program cannot find out whether images have a gradient.
            expected, own = replace(gradients, precision="float32").at(*batch), gradients.at(*batch)
            program = replace(gradients, compiled=compiled_models(gradients))
            sound = _agree(program.at(*batch), own, expected)
            if sound and must_be_faster:
                sound = passes_per_second(program, *batch) >= GAIN * passes_per_second(gradients, *batch)
        except Exception:  # whatever it is: as it is, the model has been seen to work
            return None
    return program.compiled if sound else None


def compiled_models(gradients: Gradients) -> Models:
    """The models of a target as programs, which count their passes as they do."""
    target = gradients.target

    def program(model: nn.Module, passes: int) -> nn.Module:
        reaches_images = getattr(model, "reaches_images", None)
        return CountedModel(Program(inside(model)), target.counter, reaches_images, passes)

    view = program(target.view, target.view_passes)
    return Models(view, view if target.view_is_exact else program(target.judge.model, target.exact_passes))


class Program(nn.Module):
    """A model as torch.compile makes it for batches of any size, when it is first used.

    Args:
        model: The model, which stays as it is.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._compiled = torch.compile(model, dynamic=True, backend=BACKEND)

    def forward(self, images: Tensor) -> Tensor:
        # Around it, all that anybody compiled runs as it was written: robbench.torch_state.
        with torch.compiler.set_stance("default"):
            return self._compiled(images)


def _tried(gradients: Gradients) -> int:
    target = gradients.target
    return TRIED if target.device.type == "cpu" else target.size.largest


def _trial_batch(gradients: Gradients, dataset: Dataset) -> tuple[Images, Labels]:
    samples = dataset.samples(torch.arange(min(_tried(gradients), len(dataset))))
    device = gradients.target.device
    return samples.images.to(device), samples.labels.to(device)


def _agree(found: tuple[Logits, Images], own: tuple[Logits, Images], expected: tuple[Logits, Images]) -> bool:
    """Whether logits and gradients are those of float32 up to the rounding of the model's own arithmetic."""
    return all(
        _off(program, exact) <= max(CLOSE, ROUGHER * _off(model, exact))
        for program, model, exact in zip(found, own, expected, strict=True)
    )


def _off(found: Tensor, expected: Tensor) -> float:
    """How far results are off, as a share of an image's largest, for all but a few images."""
    off, largest = ((found - expected).flatten(1).abs().amax(1), expected.flatten(1).abs().amax(1))
    # Where both are zero, nothing is off.
    return float((off / largest.clamp_min(torch.finfo(off.dtype).tiny)).quantile(SAME))


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what the compiler has to say, which a user can do nothing about."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
