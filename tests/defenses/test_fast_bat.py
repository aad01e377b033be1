import dataclasses

import numpy as np
import pytest
import torch

from robbench.defenses.fast_bat import authors_step, implicit_term, solve_lower_level
from robbench.defenses.perturbation import linf_ball, summed_cross_entropy
from tests.defenses.literal import (
    LiteralNet,
    Recorder,
    TanhNet,
    clipped,
    drawn,
    flat,
    literal_samples,
    make_batch,
    make_recipe,
    noise_generator,
)


def test_the_two_steps_and_the_loss_are_the_literal_ones():
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe = make_recipe("fast-bat", epsilon=0.1, step_size=0.07, regularization=10.0)
    loss = recipe.loss(recipe.wrap(recorder), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for i, (image, noise, label) in enumerate(literal_samples(batch)):
        point = clipped(image + 0.1 * noise, image, 0.1)
        for step in range(2):
            assert flat(recorder.seen[step])[i] == pytest.approx(point, abs=1e-12)
            point = clipped(point + 0.07 * literal.cross_entropy_gradient(point, label), image, 0.1)
        assert flat(recorder.seen[2])[i] == pytest.approx(point, abs=1e-12)
        losses.append(literal.cross_entropy(point, label))
    # The implicit term has a gradient and no value.
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-10)
    assert len(recorder.seen) == 3


def bilevel_gradient(net, batch, point, step_size, epsilon):
    """The gradient in ``net.inner`` of the mean loss at δ*(θ), by the recipe's two parts, with 1/λ = s."""
    ball, attack = linf_ball(batch.images, epsilon), summed_cross_entropy(batch.labels)
    lower = solve_lower_level(net, point, ball, attack, step_size)
    adversarial = lower.adversarial.clone().requires_grad_(True)
    loss = batch.cross_entropy(net(adversarial), reduction="sum")
    (upper,) = torch.autograd.grad(loss, adversarial, retain_graph=True)
    total = (loss + step_size * implicit_term(lower, upper, ball)) / len(batch.images)
    direct = torch.autograd.grad(loss / len(batch.images), net.inner, retain_graph=True)[0]
    return torch.autograd.grad(total, net.inner)[0], direct


def bilevel_loss(net, batch, point, step_size, epsilon) -> float:
    """The mean loss at the inner problem's solution, which moves with the weights; z stays."""
    literal, losses = LiteralNet(net), []
    for i, (image, z) in enumerate(zip(flat(batch.images), flat(point), strict=True)):
        label = int(batch.labels[i])
        solution = clipped(z + step_size * literal.cross_entropy_gradient(z, label), image, epsilon)
        by_class = [literal.cross_entropy(solution, other) for other in range(len(net.outer))]
        smoothing = batch.label_smoothing
        losses.append((1 - smoothing) * by_class[label] + smoothing * np.mean(by_class))
    return float(np.mean(losses))


@pytest.mark.parametrize(
    ("epsilon", "interior", "smoothing"),
    [(0.5, "all", 0.0), (0.06, "some", 0.0), (0.5, "all", 0.3)],
    ids=["interior", "partly on the bounds", "smoothed labels"],
)
def test_the_gradient_is_that_of_the_bilevel_objective_by_finite_differences(epsilon, interior, smoothing):
    net, batch, step_size = TanhNet(), make_batch(), 0.05
    # Away from the box and the ball's bounds, unless the step leads there.
    images = 0.5 + 0.2 * (batch.images - 0.5)
    batch = dataclasses.replace(batch, images=images, label_smoothing=smoothing)
    point = batch.images + 0.02 * drawn(batch)
    found, direct = bilevel_gradient(net, batch, point, step_size, epsilon)
    solution = solve_lower_level(
        net, point, linf_ball(batch.images, epsilon), summed_cross_entropy(batch.labels), step_size
    ).adversarial
    share_inside = ((solution - batch.images).abs() < epsilon - 1e-7).double().mean().item()
    assert share_inside == 1.0 if interior == "all" else 0.2 < share_inside < 0.9
    implicit = found - direct
    assert implicit.abs().max() > 0.05 * direct.abs().max()
    for place in np.ndindex(*net.inner.shape):
        with torch.no_grad():
            net.inner[place] += 1e-6
            above = bilevel_loss(net, batch, point, step_size, epsilon)
            net.inner[place] -= 2e-6
            below = bilevel_loss(net, batch, point, step_size, epsilon)
            net.inner[place] += 1e-6
        assert found[place].item() == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_recipe_adds_the_implicit_part_over_lambda(smoothing):
    net, batch = TanhNet(), dataclasses.replace(make_batch(), label_smoothing=smoothing)

    def gradient(regularization: float) -> torch.Tensor:
        recipe = make_recipe("fast-bat", epsilon=0.1, step_size=0.07, regularization=regularization)
        again = dataclasses.replace(batch, generator=noise_generator())
        return torch.autograd.grad(recipe.loss(recipe.wrap(net), again), net.inner)[0]

    direct = gradient(1e30)
    assert torch.allclose(gradient(2.0) - direct, 5 * (gradient(10.0) - direct), rtol=1e-9, atol=1e-14)
    # And by the recipe's own z, which is where its second step starts.
    recorder = Recorder(net)
    recipe = make_recipe("fast-bat", epsilon=0.1, step_size=0.07, regularization=1 / 0.07)
    again = dataclasses.replace(batch, generator=noise_generator())
    loss = recipe.loss(recipe.wrap(recorder), again)
    found = torch.autograd.grad(loss, net.inner)[0]
    expected, _ = bilevel_gradient(net, batch, recorder.seen[1], 0.07, 0.1)
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_where_every_pixel_is_on_a_bound_nothing_is_implicit():
    net, batch = TanhNet(), make_batch()
    losses = []
    for regularization in (1e-3, 1e30):
        recipe = make_recipe("fast-bat", epsilon=0.01, step_size=1e9, regularization=regularization)
        again = dataclasses.replace(batch, generator=noise_generator())
        losses.append(torch.autograd.grad(recipe.loss(recipe.wrap(net), again), net.inner)[0])
    assert torch.equal(*losses)


def test_the_step_shrinks_above_8_255():
    assert authors_step(8 / 255) == pytest.approx(19.608, abs=1e-3)
    assert authors_step(16 / 255) == pytest.approx(7.843, abs=1e-3)
