import dataclasses

import numpy as np
import pytest
import torch

from tests.defenses.literal import (
    LiteralNet,
    Recorder,
    TanhNet,
    clipped,
    flat,
    make_batch,
    make_recipe,
    noise_generator,
)


def test_climbs_the_divergence_and_trains_on_both_terms_as_written():
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe = make_recipe("trades", epsilon=0.1, steps=4, step_size=0.03, beta=6.0)
    loss = recipe.loss(recipe.wrap(recorder), batch)
    noise = torch.randn(batch.images.shape, generator=noise_generator(), dtype=torch.float64)
    literal, losses = LiteralNet(TanhNet()), []
    for i, image in enumerate(flat(batch.images)):
        clean = literal.logits(image)
        point = clipped(image + 0.001 * flat(noise)[i], image, 0.1)
        first = literal.divergence(clean, point)
        for _ in range(4):
            step = 0.03 * np.sign(literal.divergence_gradient(clean, point))
            point = clipped(point + step, image, 0.1)
        robust = literal.divergence(clean, point)
        assert robust > 10 * first
        assert flat(recorder.seen[-1])[i] == pytest.approx(point, abs=1e-12)
        losses.append(literal.cross_entropy(image, int(batch.labels[i])) + 6.0 * robust)
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-9)


def test_label_smoothing_reaches_the_cross_entropy_alone():
    plain, batch = make_recipe("trades", epsilon=0.1, steps=2, step_size=0.05, beta=6.0), make_batch()
    net = TanhNet()
    losses = {}
    for smoothing in (0.0, 0.3):
        smoothed = dataclasses.replace(batch, generator=noise_generator(), label_smoothing=smoothing)
        losses[smoothing] = plain.loss(plain.wrap(net), smoothed).item()
    logits = net(batch.images)
    expected = [
        torch.nn.functional.cross_entropy(logits, batch.labels, label_smoothing=s).item() for s in (0.0, 0.3)
    ]
    assert losses[0.3] - losses[0.0] == pytest.approx(expected[1] - expected[0], rel=1e-9)
