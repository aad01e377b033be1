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

RECIPE = make_recipe("backward-smoothing", epsilon=0.1, step_size=0.1, gamma=1.0, beta=10.0)


def logit_noise() -> np.ndarray:
    return (2 * torch.rand(6, 4, generator=noise_generator(), dtype=torch.float64) - 1).numpy()


def test_both_moves_and_the_objective_are_the_literal_ones():
    recorder, batch = Recorder(TanhNet()), make_batch()
    loss = RECIPE.loss(RECIPE.wrap(recorder), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for i, image in enumerate(flat(batch.images)):
        clean = literal.logits(image)
        disturbed = clean + logit_noise()[i]
        down = 0.1 * np.sign(literal.divergence_gradient(disturbed, image))
        first = clipped(image - down, image, 0.1)
        up = 0.1 * np.sign(literal.divergence_gradient(clean, first))
        second = clipped(first + up, image, 0.1)
        assert flat(recorder.seen[-1])[i] == pytest.approx(second, abs=1e-12)
        label = int(batch.labels[i])
        losses.append(literal.cross_entropy(image, label) + 10.0 * literal.divergence(clean, second))
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-9)


def test_the_first_move_lowers_the_divergence_it_should_and_the_second_raises_its_own():
    # Short steps, for which the sign of the gradient decides.
    recipe = make_recipe("backward-smoothing", epsilon=0.1, step_size=1e-3, gamma=1.0, beta=10.0)
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe.loss(recipe.wrap(recorder), batch)
    # Seen: the images for p, the images for the first move, the first point, the images, the last point.
    images, first, last = (flat(recorder.seen[i]) for i in (0, 2, 4))
    literal = LiteralNet(TanhNet())
    for i, image in enumerate(images):
        clean = literal.logits(image)
        disturbed = clean + logit_noise()[i]
        assert literal.divergence(disturbed, first[i]) < literal.divergence(disturbed, image)
        assert literal.divergence(clean, last[i]) > literal.divergence(clean, first[i])


def test_costs_five_forward_passes_of_the_batch():
    recorder, batch = Recorder(TanhNet()), make_batch()
    RECIPE.loss(RECIPE.wrap(recorder), batch)
    assert len(recorder.seen) == 5
