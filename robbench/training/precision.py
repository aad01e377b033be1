"""The arithmetic of a training: bfloat16 where it was measured to help."""

from typing import Literal

import torch
from torch import nn

from robbench.devices import has_bfloat16

Precision = Literal["float32", "bfloat16"]

SMALLEST_NETWORK = 1_000_000
"""Weights from which bfloat16 pays. One step on two cores with AMX, float32 and bfloat16, channels last:
the digits network (53 thousand) 2.3 and 2.4 ms, MNIST's (3.3 million) 38 and 16 ms, CIFAR-10's (2.7 million)
979 and 333 ms."""


def choose_precision(network: nn.Module, device: torch.device) -> Precision:
    """The arithmetic for a network on a device; weights and their updates are float32 in any case."""
    if sum(weight.numel() for weight in network.parameters()) < SMALLEST_NETWORK:
        return "float32"
    return "bfloat16" if has_bfloat16(device) else "float32"
