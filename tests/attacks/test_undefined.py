"""Gradients that cannot be followed as they are, and images that are none."""

import torch
from torch import nan

from robbench.attacks.undefined import defined, followable

inf = torch.inf


def images(*pixels: list[float]) -> torch.Tensor:
    return torch.tensor(pixels).view(len(pixels), 1, 1, -1)


def test_a_finite_gradient_stays_as_it_is():
    gradient = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    gradient[0, 0, 0] = torch.tensor([0.0, -0.0, 3e38, 1e-42])
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    followed = followable(gradient)
    assert torch.equal(followed.view(torch.int32), gradient.view(torch.int32))
    assert followed.stride() == gradient.stride()


def test_nan_becomes_zero_and_infinity_the_largest_of_its_image():
    gradient = images([nan, inf, -inf, -2.0, 1.0], [0.0, 5.0, nan, -1.0, 0.0])
    expected = images([0.0, 2.0, -2.0, -2.0, 1.0], [0.0, 5.0, 0.0, -1.0, 0.0])
    assert torch.equal(followable(gradient), expected)


def test_infinity_keeps_its_sign_beside_nothing_else():
    assert torch.equal(followable(images([inf, 0.0, nan, -inf])), images([1.0, 0.0, 0.0, -1.0]))


def test_an_image_with_any_nan_is_replaced():
    found, given = images([nan, 0.5], [0.5, 0.7]), images([0.1, 0.2], [0.3, 0.4])
    assert torch.equal(defined(found, given), images([0.1, 0.2], [0.5, 0.7]))
