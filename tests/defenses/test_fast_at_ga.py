import dataclasses

import numpy as np
import pytest
import torch

from robbench.defenses.fast_at_ga import authors_weight, misalignment
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
from tests.oracles import ConstantModel, LinearModel

RECIPE = make_recipe("fast-at-ga", epsilon=0.1, weight=0.5)


def test_the_objective_is_the_literal_one():
    recorder, batch = Recorder(TanhNet()), make_batch()
    loss = RECIPE.loss(RECIPE.wrap(recorder), batch)
    literal, losses, cosines = LiteralNet(TanhNet()), [], []
    for i, (image, noise, label) in enumerate(literal_samples(batch)):
        at_image = literal.cross_entropy_gradient(image, label)
        at_noisy = literal.cross_entropy_gradient(image + 0.1 * noise, label)
        adversarial = clipped(image + 0.1 * np.sign(at_image), image, 0.1)
        assert flat(recorder.seen[-1])[i] == pytest.approx(adversarial, abs=1e-12)
        cosines.append(at_image @ at_noisy / np.linalg.norm(at_image) / np.linalg.norm(at_noisy))
        losses.append(literal.cross_entropy(adversarial, label))
    assert loss.item() == pytest.approx(np.mean(losses) + 0.5 * (1 - np.mean(cosines)), rel=1e-9)
    assert len(recorder.seen) == 3


def test_the_penalty_is_zero_on_a_linear_model_of_two_classes():
    # The gradient is (p − 1)·(w_y − w_other): another length elsewhere, the same direction everywhere.
    generator = torch.Generator().manual_seed(0)
    model = LinearModel(torch.randn(2, 12, generator=generator), torch.zeros(2)).double()
    batch = make_batch()
    batch = dataclasses.replace(batch, labels=batch.labels % 2)
    recipe = make_recipe("fast-at-ga", epsilon=0.3, weight=1000.0)
    without = make_recipe("fast-at-ga", epsilon=0.3, weight=1e-9).loss(recipe.wrap(model), batch)
    assert recipe.loss(recipe.wrap(model), batch).item() == pytest.approx(without.item(), abs=1e-9)


def test_the_penaltys_gradient_treats_the_gradient_at_the_image_as_a_constant():
    net, batch = TanhNet(), make_batch()
    noise = 0.1 * drawn(batch)
    loss = RECIPE.loss(RECIPE.wrap(net), batch) - make_recipe("fast-at-ga", epsilon=0.1, weight=1e-300).loss(
        RECIPE.wrap(net), dataclasses.replace(batch, generator=noise_generator())
    )
    (found,) = torch.autograd.grad(loss, net.inner)
    constant = [
        LiteralNet(net).cross_entropy_gradient(image, int(batch.labels[i]))
        for i, image in enumerate(flat(batch.images))
    ]

    def penalty() -> float:
        literal = LiteralNet(net)
        cosines = []
        for i, point in enumerate(flat(batch.images + noise)):
            there = literal.cross_entropy_gradient(point, int(batch.labels[i]))
            cosines.append(constant[i] @ there / np.linalg.norm(constant[i]) / np.linalg.norm(there))
        return 0.5 * (1 - float(np.mean(cosines)))

    for place in [(0, 0), (3, 5), (6, 11)]:
        with torch.no_grad():
            net.inner[place] += 1e-6
            above = penalty()
            net.inner[place] -= 2e-6
            below = penalty()
            net.inner[place] += 1e-6
        assert found[place].item() == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-9)


def test_samples_without_a_gradient_neither_count_nor_spoil_the_others():
    gradients = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]).view(4, 1, 1, 2)
    others = torch.tensor([[0.0, 2.0], [3.0, 1.0], [0.0, 0.0], [0.0, 0.0]]).view(4, 1, 1, 2)
    others.requires_grad_(True)
    found = misalignment(gradients, others)
    assert found.item() == pytest.approx(1.0)  # the first sample's alone, at a right angle
    found.backward()
    assert others.grad is not None
    assert torch.isfinite(others.grad).all()
    assert (others.grad[1:] == 0).all()


def test_is_zero_and_differentiable_where_nothing_has_a_gradient():
    model, batch = ConstantModel(), make_batch(shape=(1, 8, 8), dtype=torch.float32)
    weight = torch.nn.Parameter(torch.ones(()))
    scaled = torch.nn.Sequential(model)
    scaled.register_parameter("weight", weight)
    loss = RECIPE.loss(RECIPE.wrap(scaled), batch)
    assert loss.item() == pytest.approx(torch.nn.functional.cross_entropy(model(batch.images), batch.labels))
    assert misalignment(torch.zeros(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)).item() == 0


@pytest.mark.parametrize("scale", [1e-18, 1.0, 1e15])
def test_tiny_and_huge_gradients_keep_their_angle(scale):
    generator = torch.Generator().manual_seed(0)
    one, two = torch.randn(2, 5, 1, 3, 3, generator=generator)
    two = (two * scale).requires_grad_(True)
    expected = 1 - torch.nn.functional.cosine_similarity(one.flatten(1), (two / scale).flatten(1)).mean()
    found = misalignment(one * scale, two)
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)
    found.backward()
    assert two.grad is not None
    assert torch.isfinite(two.grad).all()


def test_gradients_too_small_for_a_length_count_as_none():
    tiny = torch.full((2, 1, 2, 2), 1e-30, requires_grad=True)
    found = misalignment(torch.ones(2, 1, 2, 2), tiny)
    assert found.item() == 0
    found.backward()
    assert tiny.grad is not None
    assert torch.isfinite(tiny.grad).all()


def test_the_weights_are_the_authors_table():
    table = {2: 0.036, 4: 0.063, 6: 0.112, 8: 0.2, 10: 0.356, 12: 0.632, 14: 1.124, 16: 2.0}
    for step, weight in table.items():
        assert authors_weight(step / 255) == pytest.approx(weight, rel=0.02)
    assert authors_weight(0.3) == 2.0
    assert authors_weight(16.0) == 2.0
