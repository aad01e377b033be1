"""The model under attack is laid out as asked while it is measured, and left as it was found."""

import pytest
import torch
from torch import nn

from robbench.classifier import channels_last, frozen, lay_out, takes_channels_last
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
