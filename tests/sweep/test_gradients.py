"""Passes of the native engine, in either arithmetic."""

import weakref

import pytest
import torch

from robbench.attacks.gradient import PGD
from robbench.classifier import frozen
from robbench.sweep.gradients import Gradients
from robbench.sweep.passes import PassSize
from robbench.sweep.target import View, make_target
from robbench.threat import get_norm
from robbench.torch_state import plain_torch
from tests.oracles import SmoothNet


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_no_pass_is_remembered(precision):
    seen = []

    class Remembered(SmoothNet):
        def forward(self, images):
            seen.append(weakref.ref(images.untyped_storage()))
            return super().forward(images)

    model = Remembered()
    target = make_target(
        model, View(model, True), "top1", get_norm("linf"), 5, torch.device("cpu"), PassSize(64)
    )
    gradients = Gradients(PGD(steps=5), target, precision)
    with frozen(model), plain_torch():
        for _ in range(3):
            gradients.at(torch.rand(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64))
        assert [image() for image in seen if image() is not None] == []
