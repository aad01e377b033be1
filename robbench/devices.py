"""Choosing a device, a batch size and the arithmetic of attack steps; telling that its memory ran out."""

import torch

from robbench.errors import UserError
from robbench.registry import suggest

DEFAULT_BATCH_SIZES = {"cpu": 256, "cuda": 2048}
"""Samples in one pass where the user gives none; halved when memory runs out, and on a CPU fewer where a
trial finds that faster (:mod:`robbench.sweep.batch_size`)."""
LARGEST_BATCH = 2**31 - 1
"""More than memory holds anywhere, and what torch still counts with."""
PRECISIONS = ("float32", "bfloat16")
"""The arithmetic in which the native engine takes its steps; success is judged in float32 in any case."""
BFLOAT16_UNITS = ("amx_bf16", "avx512_bf16")
"""Parts of a CPU that multiply bfloat16."""

_OUT_OF_MEMORY = (
    "out of memory",
    "ALLOC_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
    "unable to find an engine to execute",
)
"""What CUDA, cuDNN, cuBLAS and the CPU's allocator say where they, and not torch, find no memory; the last is
cuDNN's word where there is no room for the workspace of any convolution."""


def choose_device(name: str) -> torch.device:
    """The device called ``name``, a GPU with its number; ``auto`` is the current GPU if there is one.

    Raises:
        UserError: Not a device robbench can use, or not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in DEFAULT_BATCH_SIZES:
        raise UserError(f"{name!r} is not a device robbench can use.", "Use auto, cpu, cuda or cuda:1.")
    count = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        raise UserError(
            f"The device {name!r} is asked for, but torch sees {count or 'no'} CUDA devices.",
            "Use --device cpu, or install a torch built for this machine's GPU.",
        )
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices faster than float32.

    Recent GPUs do, and CPUs with AMX or AVX512-BF16: on two cores of an AMD EPYC with the latter, 256
    gradients of the digits, MNIST and small CIFAR-10 networks take half to two thirds of the time.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(units) for units in BFLOAT16_UNITS)


def choose_precision(asked: str, device: torch.device) -> str:
    """The arithmetic of attack steps: as asked, or for ``auto`` bfloat16 where the device has it.

    Raises:
        UserError: Neither ``auto`` nor one of :data:`PRECISIONS`.
    """
    if asked not in ("auto", *PRECISIONS):
        raise suggest("precision", asked, ("auto", *PRECISIONS))
    if asked != "auto":
        return asked
    return "bfloat16" if has_bfloat16(device) else "float32"


def arithmetic(device: torch.device, precision: str) -> torch.autocast:
    """What passes in one of :data:`PRECISIONS` are made in.

    Without autocast's cache: it would keep every batch of images that a gradient is asked for, until the
    outermost autocast is left, which in a run is that of :func:`robbench.torch_state.plain_torch`.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False)


def choose_batch_size(asked: int | None, device: torch.device) -> int:
    """The batch size asked for, else the device's default.

    Raises:
        UserError: Less than 1, or more than :data:`LARGEST_BATCH`.
    """
    if asked is None:
        return DEFAULT_BATCH_SIZES[device.type]
    if not 1 <= asked <= LARGEST_BATCH:
        raise UserError(
            f"A batch holds at least 1 sample and at most {LARGEST_BATCH}, not {asked}.",
            "Leave --batch-size out.",
        )
    return asked


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether what torch raised means that the device's memory ran out."""
    return isinstance(error, torch.OutOfMemoryError) or any(said in str(error) for said in _OUT_OF_MEMORY)
