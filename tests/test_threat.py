import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from robbench.errors import UserError
from robbench.threat import NORMS, TOLERANCE, Ball, get_norm

SHAPE = (3, 1, 4, 4)


def _ball(norm: str, seed: int, radius: float) -> Ball:
    generator = torch.Generator().manual_seed(seed)
    return Ball(torch.rand(SHAPE, generator=generator), torch.full((3,), radius), get_norm(norm))


@pytest.mark.parametrize("norm", NORMS)
@given(seed=st.integers(0, 10_000), radius=st.floats(0, 1, width=32))
@settings(max_examples=50, deadline=None)
def test_projection_lands_inside_and_leaves_allowed_points_alone(norm, seed, radius):
    ball = _ball(norm, seed, radius)
    points = ball.centers + 3 * torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed + 1))
    inside = ball.project(points)
    assert ball.within(inside).all()
    torch.testing.assert_close(ball.project(inside), inside, atol=1e-6, rtol=0)


@pytest.mark.parametrize("norm", NORMS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_random_points_stay_inside_and_depend_on_the_key_alone(norm, seed):
    ball = _ball(norm, seed, 0.2)
    keys = torch.tensor([seed, seed + 1, seed])
    points = ball.random_point(keys)
    assert ball.within(points).all()
    alone = Ball(ball.centers[1:2], ball.epsilon[1:2], ball.norm)
    assert torch.equal(alone.random_point(keys[1:2])[0], points[1])


@pytest.mark.parametrize(("norm", "distance"), [("linf", 0.5), ("l2", (0.5**2 + 0.1**2) ** 0.5)])
def test_distance(norm, distance):
    image = torch.zeros(1, 1, 2, 2)
    other = torch.tensor([[[[0.5, 0.1], [0, 0]]]])
    assert get_norm(norm).distance(image, other).item() == pytest.approx(distance)


@pytest.mark.parametrize("norm", NORMS)
def test_ascent_has_unit_norm_and_climbs_most(norm):
    gradient = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    step = get_norm(norm).ascent(gradient)
    assert get_norm(norm).distance(step, torch.zeros_like(step)).item() == pytest.approx(1)
    dual = gradient.abs().sum() if norm == "linf" else gradient.norm()
    assert (step * gradient).sum().item() == pytest.approx(dual.item(), rel=1e-5)


def test_l2_points_fill_the_ball_and_not_its_center():
    n, dimensions = 4000, 4
    centers = torch.full((n, 1, 2, 2), 0.5)
    ball = Ball(centers, torch.full((n,), 0.1), get_norm("l2"))
    radii = ball.norm.distance(ball.random_point(torch.arange(n)), centers) / 0.1
    # The share within half the radius is 2^-d when the points are uniform in the ball.
    assert (radii < 0.5).float().mean().item() == pytest.approx(2**-dimensions, abs=0.02)


def test_overshoot_by_rounding_is_allowed_and_more_is_not():
    center = torch.full((1, 1, 1, 1), 0.5)
    ball = Ball(center, torch.tensor([0.1]), get_norm("linf"))
    assert ball.within(center + 0.1 + TOLERANCE / 2).all()
    assert not ball.within(center + 0.1 + 5 * TOLERANCE).any()
    wide = Ball(center, torch.tensor([1.0]), get_norm("linf"))
    assert not wide.within(center + 0.5 + 5 * TOLERANCE).any()


def test_unknown_norm():
    with pytest.raises(UserError, match="l1"):
        get_norm("l1")


@pytest.mark.parametrize("scale", [1e-36, 1e-20, 1.0, 1e30])
def test_l2_ascent_has_unit_length_whatever_the_gradients_scale(scale):
    gradient = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    ascent = get_norm("l2").ascent(gradient * scale)
    assert ascent.flatten(1).norm(dim=1).tolist() == pytest.approx([1.0] * 3, abs=1e-5)
    assert torch.allclose(ascent, get_norm("l2").ascent(gradient), atol=1e-5)


def test_l2_ascent_of_nothing_is_nothing():
    assert not get_norm("l2").ascent(torch.zeros(2, 1, 2, 2)).any()


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0, 20.0])
def test_l2_projections_of_large_images_lie_in_the_ball(epsilon):
    draw = torch.Generator().manual_seed(1)
    centers = torch.rand(16, 3, 299, 299, generator=draw)
    ball = Ball(centers, torch.full((16,), epsilon), get_norm("l2"))
    points = ball.project(centers + torch.randn(centers.shape, generator=draw))
    assert ball.within(points).all()
    assert (ball.norm.distance(points, centers) > 0.7 * epsilon).all()
