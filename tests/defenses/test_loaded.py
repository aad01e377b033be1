"""What tells one model from another: everything that it computes with."""

import hashlib
import struct
import warnings

import pytest
import torch
from torch import nn

from robbench.defenses import Defense
from robbench.defenses.loaded import state_hash
from robbench.errors import UserError


class Masked(nn.Module):
    """Has a buffer that is not saved."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.register_buffer("mask", torch.full((2,), value), persistent=False)


def quantized(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch moves this elsewhere; who has such a model keeps it
        return torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 2)), dtype=torch.qint8)


def filled(value: float) -> nn.Module:
    layer = nn.Linear(2, 1)
    nn.init.constant_(layer.weight, value)
    nn.init.constant_(layer.bias, -value)
    return layer


class Sparse(nn.Module):
    """Has buffers that are held as the places and values of what is not zero."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.register_buffer("coordinates", (value * torch.eye(4)).to_sparse())
        self.register_buffer("blocks", (value * torch.eye(4)).to_sparse_bsr((2, 2)))


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("make", [Masked, quantized, filled, Sparse])
def test_other_numbers_are_another_model(make):
    first, same, other = (state_hash(Defense(make(seed))) for seed in (1, 1, 2))
    assert first == same
    assert first != other


def test_the_hash_of_an_ordinary_model_is_what_it_always_was():
    # What users have stored under it stays valid.
    state = b"0.weighttorch.float32 (1, 2)" + struct.pack("<ff", 0.5, 0.5)
    state += b"0.biastorch.float32 (1,)" + struct.pack("<f", -0.5)
    assert state_hash(Defense(filled(0.5)), "source") == hashlib.sha256(b"source" + state).hexdigest()


def test_a_lazy_layer_is_refused():
    with pytest.raises(UserError, match="without a value"):
        state_hash(Defense(nn.LazyLinear(3)))


def test_weights_on_the_meta_device_are_refused():
    with pytest.raises(UserError, match="meta device"):
        state_hash(Defense(nn.Linear(2, 3, device="meta")))
