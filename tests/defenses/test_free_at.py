import dataclasses

import numpy as np
import pytest
import torch

from robbench.defenses.free_at import PERTURBATION
from tests.defenses.literal import LiteralNet, Recorder, TanhNet, flat, make_batch, make_recipe

RECIPE = make_recipe("free-at", epsilon=0.1, repeats=3)


def test_the_perturbation_is_the_literal_one_across_replays_and_batches():
    recorder = Recorder(TanhNet())
    literal, carried = LiteralNet(TanhNet()), {}
    delta = np.zeros((6, 12))
    for seed in (5, 5, 5, 6, 6, 6):
        batch = dataclasses.replace(make_batch(seed=seed), carried=carried)
        RECIPE.loss(RECIPE.wrap(recorder), batch).backward()
        RECIPE.after_backward(RECIPE.wrap(recorder), batch)
        for i, image in enumerate(flat(batch.images)):
            perturbed = np.array([min(max(value, 0.0), 1.0) for value in image + delta[i]])
            assert flat(recorder.seen[-1])[i] == pytest.approx(perturbed, abs=1e-12)
            gradient = literal.cross_entropy_gradient(perturbed, int(batch.labels[i]))
            delta[i] = np.clip(delta[i] + 0.1 * np.sign(gradient), -0.1, 0.1)
    assert carried[PERTURBATION].flatten(1).numpy() == pytest.approx(delta, abs=1e-12)
    assert np.abs(delta).max() == pytest.approx(0.1)
    assert len(recorder.seen) == 6  # one pass each: that is what is free


def test_one_backward_pass_gives_the_weights_their_plain_gradient():
    net, batch = TanhNet(), make_batch()
    batch.carried[PERTURBATION] = 0.1 * torch.sign(torch.randn(batch.images.shape, dtype=torch.float64))
    perturbed = (batch.images + batch.carried[PERTURBATION]).clamp(0, 1)
    RECIPE.loss(RECIPE.wrap(net), batch).backward()
    expected = torch.autograd.grad(torch.nn.functional.cross_entropy(net(perturbed), batch.labels), net.inner)
    assert net.inner.grad is not None
    assert torch.allclose(net.inner.grad, expected[0], rtol=1e-12)


def test_what_is_carried_between_steps_is_a_plain_tensor():
    batch = make_batch()
    net = TanhNet()
    RECIPE.loss(RECIPE.wrap(net), batch).backward()
    RECIPE.after_backward(RECIPE.wrap(net), batch)
    assert set(batch.carried) == {PERTURBATION}
    kept = batch.carried[PERTURBATION]
    assert not kept.requires_grad
    assert kept.grad is None
    assert kept.shape == batch.images.shape


def test_each_batch_is_shown_as_often_as_it_is_repeated():
    assert RECIPE.replays == 3
    assert make_recipe("free-at", epsilon=0.1, repeats=8).replays == 8
