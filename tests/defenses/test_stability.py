import numpy as np
import pytest

from tests.defenses.literal import LiteralNet, TanhNet, clipped, literal_samples, make_batch, make_recipe


def test_the_objective_is_the_literal_one():
    batch = make_batch()
    recipe = make_recipe("stability", noise=0.3, weight=2.0)
    loss = recipe.loss(recipe.wrap(TanhNet()), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for image, noise, label in literal_samples(batch):
        noisy = clipped(image + 0.3 * noise, image, 1.0)
        clean = literal.cross_entropy(image, label)
        losses.append(clean + 2.0 * literal.divergence(literal.logits(image), noisy))
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-9)
