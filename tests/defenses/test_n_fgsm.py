import numpy as np
import pytest

from robbench.defenses.n_fgsm import NFGSM
from robbench.defenses.options import recipe_options
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


def test_trains_on_a_step_from_strong_noise_clipped_to_the_box_alone():
    recorder, batch = Recorder(TanhNet()), make_batch()
    recipe = make_recipe("n-fgsm", epsilon=0.1, noise=0.2)
    loss = recipe.loss(recipe.wrap(recorder), batch)
    literal, losses = LiteralNet(TanhNet()), []
    for i, (image, noise, label) in enumerate(literal_samples(batch)):
        start = clipped(image + 0.2 * noise, image, 1.0)
        step = 0.1 * np.sign(literal.cross_entropy_gradient(start, label))
        adversarial = clipped(start + step, image, 1.0)
        assert flat(recorder.seen[1])[i] == pytest.approx(adversarial, abs=1e-12)
        losses.append(literal.cross_entropy(adversarial, label))
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-10)


def test_the_images_leave_the_ball_of_the_step_and_it_says_so():
    recorder, batch = Recorder(TanhNet()), make_batch(count=100)
    recipe = make_recipe("n-fgsm", epsilon=0.1, noise=0.2)
    recipe.loss(recipe.wrap(recorder), batch)
    distance = (recorder.seen[1] - batch.images).abs().max()
    assert 0.2 < distance <= 0.3 + 1e-12
    assert "outside the ε-ball" in (NFGSM.__doc__ or "")


def test_the_noise_is_twice_the_radius_where_the_box_leaves_room_for_it():
    assert recipe_options(make_recipe("n-fgsm", epsilon=0.1)) == {"epsilon": 0.1, "noise": 0.2}
    assert recipe_options(make_recipe("n-fgsm", epsilon=0.3)) == {"epsilon": 0.3, "noise": 0.3}
