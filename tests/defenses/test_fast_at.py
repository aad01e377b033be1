import numpy as np
import pytest

from tests.defenses.literal import (
    LiteralNet,
    Recorder,
    TanhNet,
    clipped,
    flat,
    literal_samples,
    make_batch,
    make_recipe,
)


def test_trains_on_one_long_step_from_a_uniform_point():
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe = make_recipe("fast-at", epsilon=0.1, step_size=0.125)
    loss = recipe.loss(recipe.wrap(recorder), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for i, (image, noise, label) in enumerate(literal_samples(batch)):
        start = clipped(image + 0.1 * noise, image, 0.1)
        step = 0.125 * np.sign(literal.cross_entropy_gradient(start, label))
        adversarial = clipped(start + step, image, 0.1)
        assert flat(recorder.seen[0])[i] == pytest.approx(start, abs=1e-12)
        assert flat(recorder.seen[1])[i] == pytest.approx(adversarial, abs=1e-12)
        losses.append(literal.cross_entropy(adversarial, label))
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-10)
    assert len(recorder.seen) == 2
