"""The model under attack is laid out as asked while it is measured, and left as it was found."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import robbench
from robbench.classifier import (
    CountedModel,
    PassCounter,
    channels_last,
    frozen,
    is_random,
    lay_out,
    predict,
    seeded,
    takes_channels_last,
)
from robbench.networks import build_network


class ViewFlattened(nn.Module):
    """Flattens by ``view``, which needs features that lie one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.convolution(images)
        return features.view(len(features), -1)


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_channels_last_also_where_images_have_one_channel(channels: int):
    # A single channel fits both layouts, and torch computes in the usual one unless strides say otherwise.
    convolution, images = nn.Conv2d(channels, 4, 3), torch.rand(2, channels, 8, 8)
    with channels_last(convolution):
        features = convolution(lay_out(images, torch.channels_last))
    assert features.stride() == torch.empty_like(features, memory_format=torch.channels_last).stride()
    assert features.stride() != torch.empty_like(features, memory_format=torch.contiguous_format).stride()


def test_weights_are_put_back_as_they_lay():
    network = build_network("madry_mnist", (1, 28, 28), 10)
    places = [weight.data_ptr() for weight in network.parameters()]
    strides = [weight.stride() for weight in network.parameters()]
    with channels_last(network):
        assert [weight.data_ptr() for weight in network.parameters()] != places
    assert [weight.data_ptr() for weight in network.parameters()] == places
    assert [weight.stride() for weight in network.parameters()] == strides


@pytest.mark.parametrize(
    ("model", "takes"), [(ViewFlattened(), False), (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()), True)]
)
def test_a_network_that_flattens_by_view_is_left_in_the_usual_layout(model: nn.Module, takes: bool):
    assert takes_channels_last(model, torch.rand(2, 1, 8, 8)) is takes


def test_frozen_models_get_back_their_modes_and_gradients():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).train()
    model[1].eval()
    model[0].bias.requires_grad_(False)
    with frozen(model):
        assert not any(module.training for module in model.modules())
        assert not any(weight.requires_grad for weight in model.parameters())
    assert [module.training for module in model.modules()] == [True, True, False]
    assert [weight.requires_grad for weight in model.parameters()] == [True, False]


class Cut(nn.Module):
    """Cut off from its images, before a layer that is in no list of modules and so cannot be frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [robbench.pretrained("natural", "digits").network]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.hidden[0](images.detach())


class _NoGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images):
        return images.clone()

    @staticmethod
    def backward(ctx, *gradients):
        return None


class Barred(nn.Module):
    """Begins with an operation that gives no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.network = robbench.pretrained("natural", "digits").network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(_NoGradient.apply(images))


@pytest.mark.filterwarnings("ignore::robbench.errors.RobustnessWarning")
@pytest.mark.parametrize("attack", ["pgd2", "pgd2@torchattacks", "pgd2@foolbox", "pgd2@art"])
@pytest.mark.parametrize("model", [Cut, Barred])
def test_a_model_that_no_gradient_passes_has_a_gradient_of_zero(model: type[nn.Module], attack: str):
    found = robbench.evaluate_samples(model(), "digits", attack, [0, 0.05], samples=6)
    assert found.outcomes["n_backward"].to_numpy().max() > 0
    assert found.curves["robust_accuracy"].tolist()[0] == 1


def test_whether_a_gradient_reaches_the_images_is_asked_once():
    counted = CountedModel(nn.Flatten(), PassCounter())
    for _ in range(2):
        images = torch.rand(3, 1, 2, 2, requires_grad=True)
        (gradient,) = torch.autograd.grad(counted(images).sum(), images)
        assert torch.equal(gradient, torch.ones_like(images))
    assert (counted.counter.forward, counted.counter.backward) == (6, 6)


def exported(model: nn.Module) -> nn.Module:
    batch = ({0: torch.export.Dim("batch")},)
    return torch.export.export(model.eval(), (torch.rand(2, 1, 8, 8),), dynamic_shapes=batch).module()


def frozen_script(model: nn.Module) -> nn.Module:
    return torch.jit.freeze(torch.jit.script(model.eval()))


@pytest.mark.filterwarnings("ignore:`torch.jit.(script|freeze)` is")
@pytest.mark.parametrize("compile_", [torch.jit.script, frozen_script, exported])
@pytest.mark.parametrize("attack", ["pgd3", "pgd3@torchattacks", "pgd3@foolbox", "pgd3@art"])
def test_programs_are_measured_like_the_module_they_are_of(compile_, attack: str):
    trained = robbench.pretrained("natural", "digits").network
    network = nn.Sequential(trained, nn.Dropout())
    curves = [
        robbench.evaluate(model, "digits", attack, [0, 0.05], samples=20)["robust_accuracy"].tolist()
        for model in (network, compile_(network))
    ]
    assert curves[0] == curves[1]
    assert curves[0][0] > 0.9


class Drawing(nn.Module):
    """Asks a generator for a number, of which its answer does not depend."""

    def __init__(self, draw: Callable[[], object]) -> None:
        super().__init__()
        self.draw = draw

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.draw()
        return images.flatten(1)


class Noisy(nn.Module):
    """Adds noise from a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) + torch.rand((), generator=self.generator)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Drawing(lambda: None), False),
        (nn.Sequential(nn.Flatten(), nn.Dropout(0.5)), False),
        (Drawing(lambda: torch.rand(1)), True),
        (Drawing(np.random.rand), True),
        (Drawing(random.random), True),
        (Noisy(), True),
    ],
    ids=["plain", "dropout", "torch", "numpy", "python", "its own"],
)
def test_who_draws_is_random(model: nn.Module, expected: bool):
    with seeded(0, torch.device("cpu")):
        assert is_random(model, torch.rand(2, 1, 4, 4)) == expected


class Constant(nn.Module):
    """Answers with its weights, whatever the images are."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(10))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(images), 10)


def test_predictions_need_no_gradient_also_where_they_are_weights_that_do_again():
    model = Constant()
    with frozen(model):
        logits = predict(model, torch.rand(2, 1, 8, 8))
    assert not logits.requires_grad
