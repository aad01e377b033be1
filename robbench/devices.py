"""Choosing a device and a batch size."""

import torch

from robbench.errors import UserError

DEFAULT_BATCH_SIZES = {"cpu": 256, "cuda": 2048}
"""Samples in one pass where the user gives none; halved when memory runs out."""


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


def choose_batch_size(asked: int | None, device: torch.device) -> int:
    """The batch size asked for, else the device's default.

    Raises:
        UserError: Less than 1.
    """
    if asked is None:
        return DEFAULT_BATCH_SIZES[device.type]
    if asked < 1:
        raise UserError(f"A batch holds at least 1 sample, not {asked}.", "Leave --batch-size out.")
    return asked
