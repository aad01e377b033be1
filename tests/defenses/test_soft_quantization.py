import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robbench.defenses.soft_quantization import SoftQuantization, quantized
from robbench.errors import UserError

LEVELS = [1, 2, 3, 4, 5, 7, 8, 16]


def literal(x: float, levels: int, alpha: float) -> float:
    """Eq. 3 as printed, one number at a time, in double precision."""
    k = 0 if x <= 0 else levels - 1
    for i in range(levels):
        if i / levels < x <= (i + 1) / levels:
            k = i
            break
    u = alpha * (x - (2 * k + 1) / (2 * levels))
    sigmoid = 1 / (1 + math.exp(-u)) if u > -700 else 0.0
    return sigmoid / levels + k / levels


def apply(layer: SoftQuantization, values: list[float], dtype: torch.dtype) -> torch.Tensor:
    return layer(torch.tensor(values, dtype=dtype).view(1, 1, 1, -1)).flatten()


@given(
    x=st.floats(-0.5, 1.5),
    levels=st.integers(1, 20),
    alpha=st.floats(0.01, 1e5),
)
def test_equals_the_printed_equation(x, levels, alpha):
    found = apply(SoftQuantization(levels, alpha), [x], torch.float64).item()
    assert found == pytest.approx(literal(x, levels, alpha), abs=1e-9)


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("alpha", [1.0, 10.0, 1000.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_knot_belongs_to_the_cell_below_it(levels, alpha, dtype):
    layer = SoftQuantization(levels, alpha)
    knots = [i / levels for i in range(levels + 1)]
    expected = [literal(knot, levels, alpha) for knot in knots]
    assert apply(layer, knots, dtype).tolist() == pytest.approx(expected, abs=2e-7 * max(1, alpha))
    above = torch.nextafter(torch.tensor(knots[1:-1], dtype=dtype), torch.tensor(2.0, dtype=dtype))
    jumped = layer(above.view(1, 1, 1, -1)).flatten() if levels > 1 else above
    # Just above a knot the next cell begins, whose sigmoid starts from below.
    edge = 1 / (1 + math.exp(min(alpha / (2 * levels), 700)))
    for i, value in enumerate(jumped.tolist(), start=1):
        assert value == pytest.approx((edge + i) / levels, abs=2e-7 * max(1, alpha))


@pytest.mark.parametrize("levels", LEVELS)
def test_every_eighth_bit_value_in_float32(levels):
    pixels = torch.arange(256).float() / 255
    found = SoftQuantization(levels, 50.0)(pixels.view(1, 1, 1, -1)).flatten()
    single = [i / levels for i in range(levels + 1)]
    rounded = torch.tensor(single).tolist()
    for x, value in zip(pixels.tolist(), found.tolist(), strict=True):
        k = next(i for i in range(levels) if rounded[i] < x <= rounded[i + 1] or (i == 0 and x == 0))
        u = 50.0 * (x - (2 * k + 1) / (2 * levels))
        assert value == pytest.approx((1 / (1 + math.exp(-u)) + k) / levels, abs=1e-5)


def test_extreme_float32_inputs_stay_in_range():
    tiny = torch.finfo(torch.float32).tiny
    values = [0.0, -0.0, tiny, -tiny, 1.0, 1 + 1e-7, 1 - 1e-7, -3.0, 5.0, 1e30, -1e30]
    for levels in LEVELS:
        found = apply(SoftQuantization(levels, 25_500.0), values, torch.float32)
        assert found.isfinite().all()
        assert found.min() >= 0
        assert found.max() <= 1


def test_channels_last_images_are_quantized_alike_and_without_a_warning():
    images = torch.rand(2, 3, 4, 4)
    layer, laid_out = SoftQuantization(4, 50.0), images.contiguous(memory_format=torch.channels_last)
    found = layer(laid_out)
    assert torch.equal(found, layer(images))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_saturates_outside_the_range():
    found = apply(SoftQuantization(4, 1000.0), [-1.0, 2.0], torch.float64)
    assert found.tolist() == pytest.approx([0.0, 1.0], abs=1e-12)


@pytest.mark.parametrize("levels", LEVELS)
def test_steep_slopes_give_hard_quantization_to_levels_plus_one_values(levels):
    x = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    middles = (x * levels % 1 - 0.5).abs() < 1e-3
    found = SoftQuantization(levels, 1e8)(x[~middles].view(1, 1, 1, -1)).flatten()
    expected = torch.round(x[~middles] * levels) / levels
    assert torch.allclose(found, expected, atol=1e-9)
    assert len(found.round(decimals=6).unique()) == levels + 1


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("alpha", [0.5, 8.0, 200.0])
def test_gradient_is_the_sigmoids(levels, alpha):
    # Away from the knots, where k jumps and finite differences mean nothing.
    offsets = torch.linspace(0.05, 0.95, 7, dtype=torch.float64)
    x = ((torch.arange(levels, dtype=torch.float64)[:, None] + offsets) / levels).view(1, 1, levels, 7)
    x.requires_grad_(True)
    layer = SoftQuantization(levels, alpha)
    assert torch.autograd.gradcheck(layer, (x,), eps=1e-7 / max(1, alpha), atol=1e-4)
    (gradient,) = torch.autograd.grad(layer(x).sum(), x)
    k = torch.arange(levels, dtype=torch.float64).view(1, 1, levels, 1)
    s = torch.sigmoid(alpha * (x - (2 * k + 1) / (2 * levels)))
    assert torch.allclose(gradient, alpha * s * (1 - s) / levels, rtol=1e-9, atol=1e-12)


@given(
    x=st.floats(0, 1), levels=st.integers(1, 9), alpha=st.floats(0.1, 1e4),
    vmin=st.floats(-10, 10), width=st.floats(0.1, 300),
)  # fmt: skip
def test_other_ranges_are_the_same_staircase_stretched(x, levels, alpha, vmin, width):
    stretched = SoftQuantization(levels, alpha, vmin, vmin + width)
    place = vmin + width * x
    unit = (place - vmin) / (vmin + width - vmin)
    found = apply(stretched, [place], torch.float64).item()
    expected = vmin + width * literal(unit, levels, alpha)
    assert found == pytest.approx(expected, abs=1e-8 * width)


def test_the_papers_alpha_for_pixels_of_255_is_255_times_smaller():
    x = torch.linspace(0, 1, 500, dtype=torch.float64).view(1, 1, 1, -1)
    unit, pixels = SoftQuantization(2, 25_500.0), SoftQuantization(2, 25_500.0, 0.0, 255.0)
    assert torch.allclose(pixels(255 * x), 255 * unit(x), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1.0), "at least 1 level"),
        ((1, 0.0), "positive number"),
        ((1, -5.0), "positive number"),
        ((1, math.inf), "positive number"),
        ((1, math.nan), "positive number"),
        ((1, 1.0, 1.0, 1.0), "range"),
        ((1, 1.0, 0.0, math.inf), "range"),
    ],
)
def test_impossible_parameters_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        SoftQuantization(*arguments)


def test_the_gentle_copy_leaves_a_gradient_where_the_layer_has_none():
    layer = SoftQuantization(2, 25_500.0)
    x = torch.linspace(0.02, 0.98, 49).view(1, 1, 7, 7).requires_grad_(True)
    (steep,) = torch.autograd.grad(layer(x).sum(), x)
    (gentle,) = torch.autograd.grad(layer.gentle()(x).sum(), x)
    assert (steep == 0).float().mean() > 0.9
    assert gentle.min() > 0.1
    assert layer.gentle().levels == 2
    assert SoftQuantization(2, 3.0).gentle().alpha == 3.0


def test_the_views_forward_exactly_and_differ_backward():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
    defense = quantized(network, 2, 1000.0)
    x = torch.rand(5, 1, 4, 4, requires_grad=True)
    gradients = {}
    for view in defense.views:
        logits = defense.view(view)(x)
        (gradients[view],) = torch.autograd.grad(logits.sum(), x)
        if view != "substitute":
            assert torch.equal(logits, defense.model(x))
    assert not torch.equal(defense.view("substitute")(x), defense.model(x))
    # Behind a linear network, BPDA and the substitute have the network's own gradient.
    assert torch.equal(gradients["bpda"], gradients["substitute"])
    assert (gradients["exact"] == 0).float().mean() > 0.5
    assert (gradients["smooth"] != 0).all()
    assert torch.equal(gradients["smooth"].sign(), gradients["bpda"].sign())
