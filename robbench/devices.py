"""Choosing a device, a batch size and the arithmetic of attack steps."""

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


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is the first GPU if there is one, else the CPU.

    Raises:
        UserError: Not a device robbench can use, or not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in DEFAULT_BATCH_SIZES:
        raise UserError(f"{name!r} is not a device robbench can use.", "Use auto, cpu, cuda or cuda:1.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise UserError(
            f"The device {name!r} is asked for, but torch sees {count or 'no'} CUDA devices.",
            "Use --device cpu, or install a torch built for this machine's GPU.",
        )
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices faster than float32: recent GPUs, and CPUs with AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16"))


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
