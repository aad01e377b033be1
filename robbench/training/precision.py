"""The arithmetic of a training: bfloat16 where it was measured to help."""

from typing import Literal

import torch
from torch import nn

from robbench.devices import has_bfloat16

Precision = Literal["float32", "bfloat16"]

SMALLEST_NETWORK = 100_000
"""Weights from which bfloat16 pays. One step, float32 and bfloat16, channels last: on two cores with AMX a
network of 53 thousand 2.3 and 2.4 ms, MNIST's (3.3 million) 38 and 16 ms, CIFAR-10's (2.7 million) 979 and
333 ms; on one core with AVX512-BF16 the digits network (151 thousand) 5.4 and 2.9 ms, MNIST's 41 and 21 ms,
CIFAR-10's 1434 and 699 ms, and a sixteenth of that one (170 thousand) 125 and 76 ms."""


def choose_precision(network: nn.Module, device: torch.device) -> Precision:
    """The arithmetic for a network on a device; weights and their updates are float32 in any case."""
    if sum(weight.numel() for weight in network.parameters()) < SMALLEST_NETWORK:
        return "float32"
    return "bfloat16" if has_bfloat16(device) else "float32"
