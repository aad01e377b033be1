import pytest
import torch

from robbench.networks import build_network
from robbench.training import precision, train
from robbench.training.precision import choose_precision
from tests.training.small import request

CPU = torch.device("cpu")


@pytest.mark.parametrize("units", [True, False])
def test_bfloat16_only_for_large_networks_and_only_where_it_is_fast(monkeypatch, units):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: units)
    large = build_network("madry_mnist", (1, 28, 28), 10)
    small = torch.nn.Linear(64, 10)
    assert choose_precision(large, CPU) == ("bfloat16" if units else "float32")
    assert choose_precision(small, CPU) == "float32"


@pytest.mark.parametrize("defense", ["nsq", "pgd-at"])
def test_training_in_bfloat16_keeps_float32_weights_and_learns(tmp_path, monkeypatch, defense):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(precision, "SMALLEST_NETWORK", 0)
    options = {"nsq": {"noise": 0.1}, "pgd-at": {"epsilon": 0.02, "steps": 1, "step_size": 0.02}}[defense]
    plan = {"augment": "false", "learning_rate": 0.01, "iterations": 60}
    card = train(request(tmp_path, defense, options=options, plan=plan))
    assert card.precision == "bfloat16"
    assert card.clean_accuracy > 0.9
