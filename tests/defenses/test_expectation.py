"""Randomized defenses are found, and averaged over their draws."""

import pytest
import torch
from torch import nn

from robbench.defenses import Defense
from robbench.defenses.expectation import Expectation, in_expectation, spread_of
from robbench.defenses.loaded import LoadedDefense

CPU = torch.device("cpu")
IMAGES = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))


class Noisy(nn.Module):
    """Linear logits with noise of a given size."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.layer, self.size = nn.Linear(16, 3), size

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.layer(images.flatten(1))
        return logits + self.size * torch.randn_like(logits)


def loaded(model: nn.Module, **views: nn.Module) -> LoadedDefense:
    return LoadedDefense("mine", "Mine", Defense(model, views=views), "ab", None, "")


@pytest.mark.parametrize("draws", [1, 10])
def test_who_answers_the_same_twice_is_left_as_it_is(draws):
    steady = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    for model in (steady, nn.Sequential(nn.Dropout(0.5), steady).train()):
        defense = loaded(model)
        assert in_expectation(defense, IMAGES, CPU, draws, 0) is defense


def test_who_does_not_is_averaged_under_every_view_and_is_another_model():
    plain = loaded(Noisy(0.1), bpda=Noisy(0.1))
    mean = in_expectation(plain, IMAGES, CPU, 7, 0)
    assert (mean.draws, mean.title, mean.name) == (7, "Mine (mean of 7 draws)", "mine")
    assert mean.weights_sha256 != plain.weights_sha256
    for view in ("exact", "bpda"):
        averaged = mean.defense.view(view)
        assert isinstance(averaged, Expectation)
        assert (averaged.model, averaged.draws) == (plain.defense.view(view), 7)
    assert not mean.defense.forwards_exactly("bpda"), "it draws for itself"


class Seldom(nn.Module):
    """Draws a number for every image, which hardly ever decides."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.where(torch.rand(len(images), 1) < 1e-6, 0.0, self.model(images))


def test_who_draws_need_not_show_it():
    assert in_expectation(loaded(Seldom()), IMAGES, CPU, 10, 0).draws == 10


def test_one_draw_is_noted_and_changes_nothing_else():
    plain = loaded(Noisy(0.1))
    noted = in_expectation(plain, IMAGES, CPU, 1, 0)
    assert noted.draws == 1
    assert (noted.defense, noted.title, noted.weights_sha256) == (plain.defense, "Mine", "ab")


def test_looking_leaves_mode_weights_and_generator_alone():
    model = Noisy(0.1).train()
    state = torch.random.get_rng_state()
    in_expectation(loaded(model), IMAGES, CPU, 10, 0)
    assert model.training
    assert model.layer.weight.requires_grad
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_spread_is_a_share_of_the_deviation():
    answers = torch.tensor([[[0.0, 2.0], [4.0, 6.0]], [[0.0, 2.0], [4.0, 6.5]]])
    assert spread_of(answers) == pytest.approx(0.5 / answers[0].std().item())


def test_the_expectation_is_the_mean_of_the_probabilities():
    class Turns(nn.Module):
        """One of two answers, in turn."""

        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            logits = torch.tensor([[0.0, 3.0], [1.0, 0.0]])[self.calls % 2]
            return logits + 0 * images.flatten(1).sum(1, keepdim=True)

    images = torch.zeros(3, 1, 4, 4)
    found = Expectation(Turns(), 10)(images).softmax(1)
    expected = (torch.tensor([0.0, 3.0]).softmax(0) + torch.tensor([1.0, 0.0]).softmax(0)) / 2
    assert torch.allclose(found, expected.expand(3, 2), atol=1e-6)
