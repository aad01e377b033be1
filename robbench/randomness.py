"""Random numbers that belong to a sample: a counter-based generator with no state.

A number is a function of a key alone, so a sample draws the same noise in any batch, in any order, on any
device, and after any interruption. The generator is SplitMix64 (Steele et al. 2014, OOPSLA) run in counter
mode, in int64 arithmetic, which wraps alike on CPU and GPU.
"""

import hashlib

import torch
from torch import Tensor

from robbench.tensors import Images, Keys

_GAMMA = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def key_of(*parts: object) -> int:
    """A signed 64-bit key from anything that prints unambiguously: names, numbers, hashes."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def mix_keys(keys: Keys, other: Tensor | int) -> Keys:
    """New keys from keys and a second number, for instance a step, a restart or the key of an ε.

    Args:
        keys: One key per sample.
        other: One int64 number for all, or one per sample.
    """
    if not isinstance(other, Tensor):
        # Filled on the device: a number that is sent there makes the host wait.
        other = torch.full((), other, dtype=torch.int64, device=keys.device)
    return _finalize(keys + _finalize(other) * 2 + 1)


def uniform(keys: Keys, shape: tuple[int, int, int]) -> Images:
    """Numbers uniform in [0, 1) with 24 random bits each: ``shape`` of them for every key."""
    count = shape[0] * shape[1] * shape[2]
    counter = torch.arange(1, count + 1, device=keys.device, dtype=torch.int64) * _signed(_GAMMA)
    bits = _finalize(keys.unsqueeze(1) + counter)
    return (_shift(bits, 40).float() / 2**24).view(-1, *shape)


def _finalize(z: Tensor) -> Tensor:
    z = (z ^ _shift(z, 30)) * _signed(_MIX_1)
    z = (z ^ _shift(z, 27)) * _signed(_MIX_2)
    return z ^ _shift(z, 31)


def _shift(z: Tensor, bits: int) -> Tensor:
    """Logical right shift; torch's own shift of int64 copies the sign bit."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
