import pytest
import torch
from torch import nn

from robbench.datasets import datasets
from robbench.errors import UserError
from robbench.networks import build_network, networks
from robbench.networks.pre_activation import PreActivationUnit, UnitShape

SMALL = [
    ("digits_cnn", (1, 8, 8)),
    ("madry_mnist", (1, 28, 28)),
    ("residual_cnn", (3, 32, 32)),
    ("residual_cnn_16", (3, 32, 32)),
    ("preact_resnet18", (3, 32, 32)),
]


@pytest.mark.parametrize(("name", "shape"), SMALL)
@pytest.mark.parametrize("classes", [2, 10])
def test_logits_for_every_shape_and_class_count(name, shape, classes):
    channels, height, width = shape
    for other in (shape, (channels, height - 1, width + 3), (channels + 1, height, width)):
        images = torch.rand(3, *other)
        assert build_network(name, other, classes)(images).shape == (3, classes)


@pytest.mark.parametrize(("name", "shape"), SMALL)
def test_training_mode_gives_logits_too(name, shape):
    logits = build_network(name, shape, 4).train()(torch.rand(2, *shape))
    assert isinstance(logits, torch.Tensor)
    assert logits.shape == (2, 4)


def test_every_dataset_names_a_network_that_exists():
    for _, info in datasets.items():
        assert info.network in networks.names()


def test_madry_network_has_the_layers_of_the_challenge():
    shapes = [tuple(weight.shape) for weight in build_network("madry_mnist", (1, 28, 28), 10).parameters()]
    assert shapes == [
        (32, 1, 5, 5), (32,), (64, 32, 5, 5), (64,), (1024, 7 * 7 * 64), (1024,), (10, 1024), (10,)
    ]  # fmt: skip


def test_residual_network_has_five_units_and_one_linear_layer():
    modules = [type(module).__name__ for module in build_network("residual_cnn", (3, 32, 32), 10).modules()]
    assert modules.count("PreActivationUnit") == 5
    assert modules.count("Linear") == 1


def test_the_narrow_residual_network_is_the_same_at_a_quarter_of_the_width():
    wide, narrow = (build_network(name, (3, 32, 32), 10) for name in ("residual_cnn", "residual_cnn_16"))
    assert [type(module) for module in wide.modules()] == [type(module) for module in narrow.modules()]
    widths = [module.out_channels for module in narrow.modules() if isinstance(module, nn.Conv2d)]
    assert [4 * width for width in widths] == [
        module.out_channels for module in wide.modules() if isinstance(module, nn.Conv2d)
    ]


def test_preact_resnet_is_that_of_the_fast_training_papers():
    network = build_network("preact_resnet18", (3, 32, 32), 10)
    # The authors' count: 11 171 146 of the common PreActResNet18 and 1 024 of the last normalization.
    assert sum(weight.numel() for weight in network.parameters()) == 11_171_146 + 1_024
    stem = nn.Sequential(*list(network.children())[:-4]).eval()
    with torch.no_grad():
        assert stem(torch.rand(1, 3, 32, 32)).shape == (1, 512, 4, 4)


def test_a_pre_activation_unit_computes_what_the_paper_draws():
    unit = PreActivationUnit(4, UnitShape(6, stride=2)).eval()
    features = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        expected = unit.conv2(unit.norm2(unit.conv1(unit.norm1(features).relu())).relu())
        assert unit.shortcut is not None
        assert torch.equal(unit(features), expected + unit.shortcut(features))
        plain = PreActivationUnit(4, UnitShape(4)).eval()
        for convolution in (plain.conv1, plain.conv2):
            convolution.weight.zero_()
        assert torch.equal(plain(features), features)


@pytest.mark.parametrize("name", ["residual_cnn", "preact_resnet18"])
def test_shortcuts_begin_at_the_input_itself(name):
    """As in the authors' code of FAST-AT, N-FGSM and FAST-BAT: ``shortcut = self.shortcut(x)``."""
    modules = build_network(name, (3, 32, 32), 10).eval().modules()
    units = [module for module in modules if isinstance(module, PreActivationUnit)]
    changing = [(unit, unit.shortcut) for unit in units if unit.shortcut is not None]
    assert changing
    for unit, shortcut in changing:
        # What the first ReLU takes away comes through the shortcut alone.
        features = -torch.rand(1, unit.conv1.in_channels, 4, 4) - 1
        with torch.no_grad():
            assert torch.equal(unit(features), shortcut(features))


def test_normalization_is_inside_and_not_a_weight():
    network = build_network("residual_cnn", (3, 32, 32), 10)
    first = next(iter(network.children()))
    mean_image = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert torch.allclose(first(mean_image), torch.zeros(1, 3, 4, 4), atol=1e-6)
    assert not any("mean" in key and "running" not in key for key in network.state_dict())


def test_inception_gives_plain_logits_in_both_modes():
    network = build_network("inception_v3", (3, 75, 75), 7)
    images = torch.rand(2, 3, 75, 75)
    assert network.eval()(images).shape == (2, 7)
    assert network.train()(images).shape == (2, 7)
    first = next(iter(network.children()))
    assert first(torch.zeros(1, 3, 2, 2)).eq(-1).all()
    assert first(torch.ones(1, 3, 2, 2)).eq(1).all()


@pytest.mark.parametrize("shape", [(3, 74, 200), (1, 299, 299)])
def test_inception_refuses_images_that_it_cannot_take(shape):
    with pytest.raises(UserError, match="at least 75 × 75"):
        build_network("inception_v3", shape, 10)


def test_an_unknown_network_gets_the_nearest_names():
    with pytest.raises(UserError, match="Did you mean residual_cnn"):
        build_network("residual-cnn", (3, 32, 32), 10)
