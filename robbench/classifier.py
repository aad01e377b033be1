"""The model under attack: frozen while it is measured, left as it was found, its passes counted."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from robbench.tensors import Images, Logits


class PassCounter:
    """Counts what a model is asked to compute, in sample-passes.

    Attributes:
        forward: Samples sent forward.
        backward: Samples whose gradient was sent back.
        on_forward: Called after every forward pass has been counted; None: nobody is.
    """

    def __init__(self) -> None:
        self.forward = 0
        self.backward = 0
        self.on_forward: Callable[[], None] | None = None

    def count_forward(self, samples: int) -> None:
        """Count one forward pass of so many samples."""
        self.forward += samples
        if self.on_forward is not None:
            self.on_forward()


class CountedModel(nn.Module):
    """A model that counts its forward and backward sample-passes, whoever calls it.

    Args:
        model: Any classifier of images.
        counter: Where the counts go; several models may share one.
        reaches_images: Whether its gradient reaches the images; None: found out at the first one.
        passes: The passes of a network behind one of its answers.
    """

    def __init__(
        self,
        model: nn.Module,
        counter: PassCounter,
        reaches_images: bool | None = None,
        passes: int = 1,
    ) -> None:
        super().__init__()
        self.model = model
        self.counter = counter
        self.reaches_images = reaches_images
        self.passes = passes

    def forward(self, images: Tensor) -> Tensor:
        self.counter.count_forward(len(images) * self.passes)
        logits = self.model(images)
        if images.requires_grad and not self._is_differentiable(logits, images):
            # No gradient of the model reaches the images: it is zero, which no library assumes.
            logits = logits + 0 * images.flatten(1).sum(1, keepdim=True)
        if logits.requires_grad:
            logits.register_hook(self._count_backward)
        return logits

    def train(self, mode: bool = True) -> "CountedModel":
        """Set the mode of everything, as far as it can be set."""
        self.training = mode
        set_mode(self.model, mode)
        return self

    def _is_differentiable(self, logits: Tensor, images: Tensor) -> bool:
        """Whether logits depend on the images as far as torch knows; of a model that is found out once.

        Logits may need a gradient for other reasons: a weight that could not be frozen, after a ``detach``.
        """
        if not logits.requires_grad:
            return False
        if self.reaches_images is None:
            found = torch.autograd.grad(logits.sum(), images, retain_graph=True, allow_unused=True)
            self.reaches_images = found[0] is not None
        return self.reaches_images

    def _count_backward(self, gradient: Tensor) -> None:
        self.counter.backward += len(gradient) * self.passes


@contextmanager
def frozen(*models: nn.Module) -> Iterator[None]:
    """Put models into eval mode with weights that need no gradient; on leaving, restore all of it.

    Frozen weights are free speed: libraries that call ``loss.backward()`` would otherwise compute gradients
    that nobody reads. Restored are every module's training flag and every weight's ``requires_grad`` and
    ``grad``, also where the body raises.
    """
    # A frozen TorchScript program has no flag: its mode went into it.
    modules = [module for model in models for module in model.modules() if hasattr(module, "training")]
    modes = [module.training for module in modules]
    weights = [weight for model in models for weight in model.parameters()]
    kept = [(weight.requires_grad, weight.grad) for weight in weights]
    try:
        for model in models:
            set_mode(model, training=False)
        for weight in weights:  # not by the module: a TorchScript program refuses to be told
            weight.requires_grad_(False)
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for weight, (needs_gradient, gradient) in zip(weights, kept, strict=True):
            weight.requires_grad_(needs_gradient)
            weight.grad = gradient


def set_mode(model: nn.Module, training: bool) -> None:
    """Put a model into training or eval mode, also one with a part whose mode cannot be set."""
    try:
        model.train(training)  # by itself: an overridden train() often returns nothing
    except NotImplementedError:  # there is an exported program in it, whose mode was fixed by its export
        for module in model.modules():
            module.training = training


def lay_out(tensor: Tensor, layout: torch.memory_format) -> Tensor:
    """A tensor of four dimensions, laid out so.

    ``contiguous`` would leave one with a single channel as it is, which torch takes for laid out as usual,
    and with it all that follows: a gradient of MNIST's network then takes 1.4 times as long.
    """
    return tensor.to(memory_format=layout)


@contextmanager
def channels_last(*models: nn.Module) -> Iterator[None]:
    """Lay convolution weights out for channels-last images, which is faster; on leaving, put them back."""
    weights = [weight for model in models for weight in model.parameters() if weight.dim() == 4]
    kept = [weight.data for weight in weights]
    try:
        for weight in weights:
            weight.data = lay_out(weight.data, torch.channels_last)
        yield
    finally:
        for weight, data in zip(weights, kept, strict=True):
            weight.data = data


def takes_channels_last(model: nn.Module, images: Images) -> bool:
    """Whether a model can work on images and weights laid out channels last.

    One that flattens by ``view`` cannot: its features then do not lie one after another.
    """
    with frozen(model), channels_last(model), torch.no_grad():
        try:
            for layout in (torch.contiguous_format, torch.channels_last):
                model(lay_out(images, layout))
        except Exception:  # whatever it is: laid out as usual, the model has been seen to work
            return False
    return True


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's, numpy's and Python's global generators; on leaving, restore the caller's state."""
    # What seeds by torch.manual_seed, as trainings and libraries do, seeds every GPU in use.
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    devices = devices or ([device] if device.type == "cuda" else [])
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(devices=devices):
            reseed(seed, device)
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def reseed(seed: int, device: torch.device) -> None:
    """Seed the global generators again; who calls this is inside :func:`seeded`, which restores them."""
    # Not torch.manual_seed, which also seeds the GPUs that are not in use here and are not restored.
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def is_random(model: nn.Module, images: Images) -> bool:
    """Whether a model draws random numbers, or answers the same images otherwise the next time.

    Who draws need not show it here: what is drawn may decide seldom, or about a gradient alone. Who calls
    this is inside :func:`seeded`.
    """
    with frozen(model):
        answer, drew = _answer(model, images)
        return drew or not torch.equal(answer, predict(model, images))


def draws_numbers(model: nn.Module, images: Images) -> bool:
    """Whether a model draws from the global generators; who calls this is inside :func:`seeded`."""
    return _answer(model, images)[1]


def _answer(model: nn.Module, images: Images) -> tuple[Logits, bool]:
    """A model's answer, and whether it drew random numbers for it."""
    reseed(0, images.device)
    expected = _next_numbers(images.device)
    reseed(0, images.device)
    answer = predict(model, images)
    return answer, _next_numbers(images.device) != expected


def _next_numbers(device: torch.device) -> tuple[float, ...]:
    """What each global generator draws next."""
    drawn = (torch.rand((), device=place).item() for place in ("cpu", device))
    return *drawn, float(np.random.rand()), random.random()


@torch.no_grad()
def predict(model: nn.Module, images: Images) -> Logits:
    """The logits of a batch, without a graph, even where they are a view of a weight."""
    return model(images).detach()
