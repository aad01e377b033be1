import numpy as np
import pytest
import torch
from torch import nn

from robbench.defenses.perturbation import (
    ascend,
    eval_mode,
    input_gradient,
    linf_ball,
    summed_cross_entropy,
    uniform_noise,
)
from tests.defenses.literal import LiteralNet, TanhNet, clipped, flat, make_batch


def test_the_input_gradient_is_the_literal_one_of_each_sample_whatever_the_batch():
    net, batch = TanhNet(), make_batch()
    found = input_gradient(net, batch.images, summed_cross_entropy(batch.labels))
    for i, image in enumerate(flat(batch.images)):
        expected = LiteralNet(net).cross_entropy_gradient(image, int(batch.labels[i]))
        assert flat(found)[i] == pytest.approx(expected, rel=1e-10)
        alone = input_gradient(net, batch.images[i : i + 1], summed_cross_entropy(batch.labels[i : i + 1]))
        assert torch.allclose(alone[0], found[i], rtol=1e-12)
    assert all(weight.grad is None for weight in net.parameters())
    assert not found.requires_grad
    assert not batch.images.requires_grad


def test_a_kept_graph_leads_back_to_the_weights():
    net, batch = TanhNet(), make_batch()
    found = input_gradient(net, batch.images, summed_cross_entropy(batch.labels), create_graph=True)
    found.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_steps_up_the_loss_are_the_literal_ones():
    net, batch = TanhNet(), make_batch()
    found = ascend(
        net,
        batch.images,
        linf_ball(batch.images, 0.2),
        summed_cross_entropy(batch.labels),
        step_size=0.09,
        steps=4,
    )
    literal = LiteralNet(net)
    for i, image in enumerate(flat(batch.images)):
        point, label = image, int(batch.labels[i])
        for _ in range(4):
            step = 0.09 * np.sign(literal.cross_entropy_gradient(point, label))
            point = clipped(point + step, image, 0.2)
        assert flat(found)[i] == pytest.approx(point, abs=1e-12)
        assert literal.cross_entropy(point, label) > literal.cross_entropy(image, label)


def test_the_ball_of_radius_one_is_the_whole_box():
    batch = make_batch()
    far = linf_ball(batch.images, 1.0).project(batch.images + torch.tensor([-3.0, 3.0, 0.1, 0.0]))
    assert torch.equal(far, (batch.images + torch.tensor([-3.0, 3.0, 0.1, 0.0])).clamp(0, 1))


def test_noise_is_uniform_between_its_bounds_and_repeatable():
    images = torch.zeros(200, 1, 8, 8)
    noise = uniform_noise(images, 0.3, torch.Generator().manual_seed(1))
    assert noise.shape == images.shape
    assert noise.dtype == images.dtype
    shares = torch.histc(noise, bins=6, min=-0.3, max=0.3) / noise.numel()
    assert shares.sum() == pytest.approx(1.0)
    assert ((shares - 1 / 6).abs() < 0.02).all()
    assert torch.equal(noise, uniform_noise(images, 0.3, torch.Generator().manual_seed(1)))


def test_eval_mode_restores_every_modules_own_mode_also_after_an_error():
    dropout = nn.Dropout(0.5)
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Sequential(dropout, nn.Flatten()))
    model.train()
    dropout.eval()  # as a user may have frozen one layer
    before = [module.training for module in model.modules()]
    with eval_mode(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before
    with pytest.raises(ValueError, match="expected 4D input"), eval_mode(model):
        model(torch.zeros(3))
    assert [module.training for module in model.modules()] == before
