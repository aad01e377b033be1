import pytest
import torch

from robbench.attacks.gradient import PGD
from robbench.datasets import Samples
from robbench.sweep.passes import PassSize
from robbench.sweep.rounding import is_fit_for_bfloat16, rise_kept
from robbench.sweep.target import View, make_target
from robbench.threat import get_norm
from tests.oracles import ConstantModel, SmoothNet


def of_one(*pixels):
    return torch.tensor(pixels).view(1, 1, 1, -1)


@pytest.mark.parametrize(
    ("norm", "exact", "rounded", "kept"),
    [
        ("linf", (3.0, -1.0), (2.0, -9.0), 1.0),  # the signs are all that counts
        ("linf", (3.0, -1.0), (1.0, 1.0), 0.5),
        ("linf", (3.0, -1.0), (0.0, 0.0), 0.0),
        ("linf", (3.0, -1.0), (-3.0, 1.0), 0.0),  # where it falls, nothing is kept
        ("l2", (3.0, 4.0), (0.0, 1.0), 0.8),
        ("l2", (3e-30, 4e-30), (3e-20, 4e-20), 1.0),
        ("linf", (0.0, 0.0), (1.0, 1.0), 1.0),  # there was nothing to lose
    ],
)
def test_kept_of_the_rise_is_what_a_step_along_the_rounded_gradient_makes(norm, exact, rounded, kept):
    assert rise_kept(of_one(*exact), of_one(*rounded), get_norm(norm)) == pytest.approx(kept)


def test_it_is_the_mean_over_the_images():
    exact, rounded = torch.ones(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    rounded[0] = 0
    assert rise_kept(exact, rounded, get_norm("linf")) == pytest.approx(0.75)


class Float32Only(SmoothNet):
    def forward(self, images):
        logits = super().forward(images)
        if logits.dtype != torch.float32:
            raise TypeError("float32 expected")
        return logits


class Saturating(SmoothNet):
    def forward(self, images):
        return torch.sigmoid(super().forward(images) + 10)


@pytest.mark.parametrize(
    ("model", "fit"),
    [
        (SmoothNet(), True),
        (ConstantModel(), True),
        (Float32Only(), False),
        (Saturating(), False),
    ],
    ids=["smooth", "constant", "float32 only", "saturating"],
)
def test_unfit_is_what_fails_or_rounds_its_gradient_away(model, fit):
    images = torch.rand(32, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    model.eval()
    labels = model(images).argmax(1)
    target = make_target(
        model, View(model, True), "top1", get_norm("linf"), 5, torch.device("cpu"), PassSize(8)
    )
    assert is_fit_for_bfloat16(PGD(steps=5), target, Samples(images, labels, ())) == fit
