import pytest
import torch
from torch import nn

from robbench.errors import UserError
from robbench.models import find_model
from robbench.models.weights import read_weights
from robbench.training import train
from robbench.training.averaging import WeightAverage
from tests.training.small import interrupted, request


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def move(model: nn.Module) -> None:
    """One step of a made-up training: weights and statistics change."""
    model.train()(torch.randn(8, 3))
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight))


def test_the_average_is_that_of_a_literal_loop():
    model, decay = network(), 0.8
    average = WeightAverage(model, decay)
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for step in range(1, 30):
        move(model)
        average.update(step)
        kept = min(decay, (1 + step) / (10 + step))
        for name, tensor in model.state_dict().items():
            expected[name] = (
                kept * expected[name] + (1 - kept) * tensor if tensor.is_floating_point() else tensor
            )
    found = average.state()
    assert found.keys() == expected.keys()
    for name in expected:
        assert torch.allclose(found[name], expected[name].to(found[name].dtype), atol=1e-6), name
    assert int(found["1.num_batches_tracked"]) == 29
    assert not torch.allclose(found["0.weight"], model.state_dict()["0.weight"], atol=1e-2)


def test_no_decay_is_the_model_itself():
    model = network()
    average = WeightAverage(model, 0.0)
    move(model)
    average.update(1)
    assert torch.equal(average.state()["0.weight"], model.state_dict()["0.weight"])
    assert average.checkpoint() == {}


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_applied_and_taken_back(decay):
    model = network()
    average = WeightAverage(model, decay)
    move(model)
    average.update(1)
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with average.applied():
        assert all(torch.equal(tensor, average.state()[name]) for name, tensor in model.state_dict().items())
    assert all(torch.equal(tensor, own[name]) for name, tensor in model.state_dict().items())


def test_the_average_is_what_is_stored_and_survives_an_interruption(tmp_path):
    plan = {"averaging": 0.9}
    averaged = train(request(tmp_path / "averaged", plan=plan))
    assert averaged.plan["averaging"] == 0.9
    last = train(request(tmp_path / "last"))
    assert averaged.sha256 != last.sha256
    assert (averaged.n_forward, averaged.n_backward) == (last.n_forward, last.n_backward)
    asked = request(tmp_path / "again", plan=plan, checkpoint_seconds=0.0)
    interrupted(asked)
    assert train(asked).sha256 == averaged.sha256
    means = read_weights(find_model("digits", "natural", tmp_path / "averaged"))
    assert all(torch.isfinite(tensor).all() for tensor in means.values())


@pytest.mark.parametrize("option", ["averaging", "label_smoothing"])
@pytest.mark.parametrize("value", [-0.1, 1, "nan"])
def test_shares_outside_their_range_are_refused(tmp_path, option, value):
    with pytest.raises(UserError, match=f"{option} lies at 0 or above and below 1"):
        train(request(tmp_path / "models", plan={option: value}))
    assert not (tmp_path / "models").exists()


def test_smoothed_labels_train_another_network(tmp_path):
    smoothed = train(request(tmp_path / "smoothed", plan={"label_smoothing": 0.2}))
    assert smoothed.sha256 != train(request(tmp_path / "sharp")).sha256
