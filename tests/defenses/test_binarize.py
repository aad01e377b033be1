import pytest
import torch

from robbench.defenses.binarize import Binarization
from tests.defenses.literal import TanhNet, make_batch, make_recipe


def test_every_pixel_becomes_black_or_white():
    pixels = torch.tensor([0.0, 0.25, 0.5, 0.5000001, 0.75, 1.0]).view(1, 1, 2, 3)
    assert Binarization()(pixels).flatten().tolist() == [0, 0, 0, 1, 1, 1]
    assert Binarization()(pixels.double()).dtype == torch.float64


def test_trains_on_the_black_and_white_images():
    net, batch = TanhNet(), make_batch()
    recipe = make_recipe("binarize")
    loss = recipe.loss(recipe.wrap(net), batch)
    binary = (batch.images > 0.5).double()
    expected = torch.nn.functional.cross_entropy(net(binary), batch.labels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)


def test_the_views_forward_exactly_and_give_the_gradient_that_the_threshold_has_not():
    net = TanhNet()
    defense = make_recipe("binarize").wrap(net)
    assert defense.views == ("exact", "bpda", "substitute", "smooth")
    images = make_batch().images.requires_grad_(True)
    binary = (images > 0.5).double().requires_grad_(True)
    (behind,) = torch.autograd.grad(net(binary).sum(), binary)
    sigmoid = torch.sigmoid(8 * (images.detach() - 0.5))
    for view, factor in (("bpda", torch.ones_like(images)), ("smooth", 8 * sigmoid * (1 - sigmoid))):
        logits = defense.view(view)(images)
        assert torch.equal(logits, defense.model(images))
        (found,) = torch.autograd.grad(logits.sum(), images)
        assert torch.allclose(found, behind * factor, rtol=1e-9, atol=1e-12)
    assert torch.equal(defense.view("substitute")(images), net(images))
    assert not defense.model(images.detach()).isnan().any()
