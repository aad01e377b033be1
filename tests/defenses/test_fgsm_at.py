import numpy as np
import pytest

from tests.defenses.literal import LiteralNet, Recorder, TanhNet, clipped, flat, make_batch, make_recipe


def test_trains_on_one_step_of_epsilon_from_the_image():
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe = make_recipe("fgsm-at", epsilon=0.15)
    loss = recipe.loss(recipe.wrap(recorder), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for i, image in enumerate(flat(batch.images)):
        label = int(batch.labels[i])
        step = 0.15 * np.sign(literal.cross_entropy_gradient(image, label))
        adversarial = clipped(image + step, image, 0.15)
        assert flat(recorder.seen[-1])[i] == pytest.approx(adversarial, abs=1e-12)
        losses.append(literal.cross_entropy(adversarial, label))
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-10)
    assert len(recorder.seen) == 2
