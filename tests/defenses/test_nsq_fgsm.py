import numpy as np
import pytest
import torch

from tests.defenses.literal import LiteralNet, TanhNet, clipped, literal_samples, make_batch, make_recipe

ALPHA = 1000.0


def staircase(image: np.ndarray, levels: int, alpha: float) -> np.ndarray:
    k = np.clip(np.ceil(image * levels) - 1, 0, levels - 1)
    return (1 / (1 + np.exp(-alpha * (image - (2 * k + 1) / (2 * levels)))) + k) / levels


def test_the_objective_is_the_mean_over_noisy_and_fgsm_samples():
    net, batch = TanhNet(), make_batch()
    # So steep that most pixels have no gradient through it, not even a small one whose sign would do.
    recipe = make_recipe("nsq-fgsm", levels=2, alpha=ALPHA, noise=0.3, epsilon=0.1)
    loss = recipe.loss(recipe.wrap(net), batch)
    literal, losses = LiteralNet(net), []
    for image, noise, label in literal_samples(batch):
        noisy = clipped(image + 0.3 * noise, image, 1.0)
        # Through the staircase as if it were the identity backwards.
        gradient = literal.cross_entropy_gradient(staircase(image, 2, ALPHA), label)
        adversarial = clipped(image + 0.1 * np.sign(gradient), image, 0.1)
        losses += [literal.cross_entropy(staircase(each, 2, ALPHA), label) for each in (noisy, adversarial)]
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-9)


def test_offers_the_views_of_soft_quantization():
    recipe = make_recipe("nsq-fgsm", levels=1, alpha=1000.0, noise=0.3, epsilon=0.3)
    assert recipe.wrap(torch.nn.Identity()).views == ("exact", "bpda", "substitute", "smooth")
