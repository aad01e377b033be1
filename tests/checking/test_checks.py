"""Each check is tripped by a defense made for it, and by nothing else that is not its consequence."""

import itertools

import pytest
import torch
from torch import nn

from robbench.datasets import Samples
from robbench.defenses import Defense
from tests.checking.examined import Quarters, Wrapped, findings, make_samples


class Unseeded(Quarters):
    def __init__(self):
        super().__init__(float(10 + torch.rand(1, generator=GENERATOR)))


GENERATOR = torch.Generator().manual_seed(0)


class InPlace(Quarters):
    def forward(self, images):
        return super().forward(images.mul_(1.0).clamp_(0.2, 1.0))


class Noisy(Quarters):
    def forward(self, images):
        return super().forward(images + 0.001 * torch.randn_like(images))


class BatchMean(Quarters):
    def forward(self, images):
        return super().forward(images - 0.1 * images.mean(0, keepdim=True))


class Counting(Quarters):
    def __init__(self):
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, images):
        self.passes += 1
        return super().forward(images)


class Awake(Quarters):
    def forward(self, images):
        self.train()
        return super().forward(images)


class Hidden(Quarters):
    def __init__(self):
        super().__init__()
        self.mean = torch.tensor(0.5)
        self.blocks = [nn.Identity()]

    def forward(self, images):
        return super().forward(images) - self.mean


class FloatOnly(Quarters):
    def forward(self, images):
        logits = super().forward(images)
        product = logits @ torch.eye(4)
        if product.dtype != torch.float32:
            raise TypeError("float32 expected")
        return product


class Round(nn.Module):
    def forward(self, images):
        return (images * 20).round() / 20


def root_at_zero(images):
    return (images - images.detach()).abs().sqrt() + images


def saturating_in_bfloat16(logits):
    return 1000 * (logits @ torch.eye(4) + 8).sigmoid()


GOOD = {
    "plain": Quarters,
    "layer": lambda: Defense(Quarters(), layer=nn.Identity()),
    "log-probabilities": lambda: Wrapped(after=lambda logits: logits.log_softmax(1)),
}

BAD = [
    (Unseeded, {"same when rebuilt": "failure"}, "different weights"),
    (lambda: Wrapped(after=lambda z: nn.functional.pad(z, (0, 2))), {"output": "warning"}, "6 finite"),
    (lambda: Wrapped(after=lambda z: z.softmax(1)), {"logits": "warning"}, "probabilities"),
    # torch, too, refuses to change a pixel whose gradient is wanted.
    (InPlace, {"input kept": "failure", "gradients": "failure", "bfloat16": "warning"}, "changes"),
    (Noisy, {"deterministic": "warning"}, "differ by up to"),
    (BatchMean, {"batch independence": "failure"}, "of their spread"),
    (Counting, {"eval mode": "failure"}, "changes the defense's tensors"),
    (Awake, {"eval mode": "failure"}, "Awake"),
    (Hidden, {"registered parts": "warning"}, "Hidden.blocks, Hidden.mean"),
    (FloatOnly, {"bfloat16": "warning"}, "TypeError: float32 expected"),
    (lambda: Wrapped(after=saturating_in_bfloat16), {"bfloat16": "warning"}, "of the rise"),
    (lambda: Wrapped(before=root_at_zero), {"gradients": "failure", "bfloat16": "warning"}, "NaN"),
    (lambda: Quarters(3000.0), {"gradients": "warning"}, "saturated"),
    (lambda: Wrapped(before=lambda x: x.detach()), {"gradients": "failure"}, "exactly zero"),
    (lambda: Defense(Quarters(), layer=Round()), {"gradients": "warning"}, "exactly zero"),
    (
        lambda: Defense(Quarters(), views={"smooth": Wrapped(before=lambda x: x.round())}),
        {"views have gradients": "failure"},
        "smooth: 100.0 %",
    ),
    (
        lambda: Defense(Quarters(), views={"smooth": Wrapped(after=lambda z: -z)}),
        {"views agree": "warning"},
        "smooth 0.0 %",
    ),
    (lambda: Wrapped(after=lambda z: z.roll(1, 1)), {"clean accuracy": "warning"}, "Guessing gives 25.0 %"),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_defense_passes_every_check(name):
    found = findings(GOOD[name])
    assert {finding.result for finding in found.values()} <= {"pass", "skipped"}
    assert not any(finding.advice for finding in found.values())


@pytest.mark.parametrize(("build", "expected", "words"), BAD, ids=itertools.count())
def test_a_bad_defense_trips_its_check_alone(build, expected, words):
    found = findings(build)
    tripped = {name: each for name, each in found.items() if each.result not in ("pass", "skipped")}
    assert {name: each.result for name, each in tripped.items()} == expected
    assert words in next(iter(tripped.values())).found
    assert all(each.advice for each in tripped.values())


@pytest.mark.parametrize(
    ("shade", "threshold", "scale"),
    [
        (1.0, 115.0, "[0, 255]"),
        (1.0, -0.1, "[-1, 1]"),
        (0.3, -0.05, "mean 0 and deviation 1"),
    ],
)
def test_a_network_trained_on_another_scale_is_recognised(shade, threshold, scale):
    images, labels, ids = make_samples()
    samples = Samples(shade * images, labels, ids)
    found = findings(lambda: Wrapped(before=lambda x: (x > threshold).float()), samples)["input range"]
    assert found.result == "warning"
    assert scale in found.found
    assert scale in found.advice


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (lambda z: z[:, :3], "returned the shape (32, 3)"),
        (lambda z: z.squeeze(), "returned the shape (4,)"),
        (lambda z: z / 0, "NaN or infinity"),
    ],
)
def test_without_usable_output_nothing_else_is_asked(after, words):
    found = findings(lambda: Wrapped(after=after))
    assert found["output"].result == "failure"
    assert words in found["output"].found
    others = [each.result for name, each in found.items() if name not in ("output", "same when rebuilt")]
    assert set(others) == {"skipped"}


def test_a_layer_that_draws_numbers_breaks_the_exact_views():
    class Draws(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, images):
            self.calls += 1
            return images + 0.001 * self.calls

    found = findings(lambda: Defense(Quarters(), layer=Draws()))
    assert found["views agree"].result == "failure"
    assert "bpda: its logits differ" in found["views agree"].found


def test_one_sample_is_enough_to_be_told_what_can_be():
    found = findings(Quarters, make_samples(1))
    assert found["batch independence"].result == "skipped"
    assert "failure" not in {each.result for each in found.values()}
