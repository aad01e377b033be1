import pytest
import torch
from torch import nn

from robbench.attacks.gradient import PGD
from robbench.attacks.noise import Noise
from robbench.defenses.expectation import Expectation
from tests.oracles import SmoothNet
from tests.sweep.sweeping import sweep
from tests.sweep.test_rounds import SignStep


class Counting(nn.Module):
    """Counts by itself the images that it is sent, and the gradients that come back."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.forward_passes = self.backward_passes = 0

    def forward(self, images):
        self.forward_passes += len(images)
        logits = self.model(images)
        if logits.requires_grad:
            logits.register_hook(self._count)
        return logits

    def _count(self, gradient):
        self.backward_passes += len(gradient)


@pytest.mark.parametrize("attack", [PGD(steps=5), SignStep(), Noise(steps=3)], ids=str)
@pytest.mark.parametrize("with_view", [False, True])
def test_an_average_costs_the_passes_of_all_its_draws(attack, with_view):
    network, stand_in = Counting(SmoothNet()), Counting(SmoothNet(seed=1))
    images = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    labels = network.eval()(images).argmax(1)
    network.forward_passes = 0
    view = Expectation(stand_in, 2) if with_view else None
    swept = sweep(Expectation(network, 3), images, labels, attack, view=view)
    forward = network.forward_passes + stand_in.forward_passes
    backward = network.backward_passes + stand_in.backward_passes
    # One of all images finds out whether a gradient reaches them; no sample is charged for it.
    probe = len(images) * (2 if with_view else 3) if attack.uses_gradient else 0
    assert swept.n_forward.sum() == pytest.approx(forward)
    assert swept.n_backward.sum() == pytest.approx(backward - probe)
