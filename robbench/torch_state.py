"""torch's global state belongs to the caller: it is set aside while robbench computes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch


@contextmanager
def plain_torch() -> Iterator[None]:
    """Compute in float32, with gradients at hand, whatever the caller has chosen; all of that comes back.

    Inside, autocast is off, inference mode and ``no_grad`` are left, and float32 numbers are multiplied with
    all their bits: TensorFloat-32 keeps 10 of the mantissa, bfloat16 7. cuDNN chooses convolutions by their
    shapes alone, and what was compiled runs as it was written. New tensors are on the CPU and in
    float32, where nobody says otherwise. Around a function it is a decorator.
    """
    with (
        _usual_tensors(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
        torch.inference_mode(False),
        torch.enable_grad(),
        _whole_mantissas(),
        _steady_convolutions(),
        _uncompiled(),
    ):
        yield


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Have models that went through torch.compile run as they were written.

    Compiled code sends one gradient back per pass, where some attacks need several, and is compiled anew
    for the many sizes that batches have here.
    """
    # Its import takes seconds, and without it nothing can have been compiled.
    is_in_use = "torch._dynamo" in sys.modules
    with torch.compiler.set_stance("force_eager") if is_in_use else nullcontext():
        yield


@contextmanager
def _usual_tensors() -> Iterator[None]:
    """Have new tensors on the CPU and in float32, where they are made without a word of it.

    The indices of a dataset, or a grid of ε, must not follow ``torch.set_default_device("cuda")`` or
    ``torch.set_default_dtype(torch.float64)``.
    """
    dtype, cpu = torch.get_default_dtype(), torch.device("cpu")
    # Where it is the CPU already, nothing is entered: every call into torch would pass through it.
    with nullcontext() if torch.get_default_device() == cpu else cpu:
        try:
            torch.set_default_dtype(torch.float32)
            yield
        finally:
            torch.set_default_dtype(dtype)


@contextmanager
def _steady_convolutions() -> Iterator[None]:
    """Have cuDNN neither time its algorithms for every new shape nor take one that adds up in any order.

    Either would give other gradients in the next process; and shapes here change with almost every step, so
    that timing them takes longer than the steps.
    """
    cudnn = torch.backends.cudnn
    kept = cudnn.benchmark, cudnn.deterministic
    try:
        cudnn.benchmark, cudnn.deterministic = False, True
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = kept


@contextmanager
def _whole_mantissas() -> Iterator[None]:
    """Switch both of torch's ways off by which float32 products lose bits.

    The older flags cannot be read while the newer settings contradict them, so these are set aside first, and
    put back last: setting a flag writes them too.
    """
    kept = [(owner, _exchange(owner, value)) for owner, value in _newer_settings()]
    matmul, convolutions = torch.get_float32_matmul_precision(), _convolutions_allow_tf32()
    try:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        yield
    finally:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = convolutions
        for owner, value in kept:
            owner.fp32_precision = value


def _newer_settings() -> list[tuple[Any, str]]:
    """What has an ``fp32_precision`` (torch 2.9 and later), and the value that loses nothing.

    The general ones come first and become ``none``: what is ``none`` reads as the more general one does, and
    only so does each tell its own value.
    """
    backends: Any = torch.backends
    if not hasattr(backends, "fp32_precision"):
        return []
    cuda, cpu = backends.cudnn, backends.mkldnn
    operations = (backends.cuda.matmul, cuda.conv, cuda.rnn, cpu.matmul, cpu.conv, cpu.rnn)
    return [(backends, "none"), (cuda, "none"), *((operation, "ieee") for operation in operations)]


def _exchange(owner: Any, value: str) -> str:
    kept = owner.fp32_precision
    owner.fp32_precision = value
    return kept


def _convolutions_allow_tf32() -> bool:
    try:
        return torch.backends.cudnn.allow_tf32
    except RuntimeError:
        return True  # torch refuses to answer where the flag contradicts the newer settings, by now off
