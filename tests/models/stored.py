"""Small models on disk, for tests of what reads them."""

from pathlib import Path
from typing import Any

import torch

from robbench.models import ModelCard, StoredModel
from robbench.models.weights import halve, save_model
from robbench.networks import build_network

SHAPE = (1, 8, 8)


def make_card(**changes: Any) -> ModelCard:
    """A card like any other, with some fields changed."""
    fields: dict[str, Any] = {
        "defense": "sq",
        "dataset": "digits",
        "network": "digits_cnn",
        "options": {"levels": 1, "alpha": 1000.0},
        "plan": {"iterations": 2, "batch_size": 4},
        "seed": 0,
        "command": "robbench train --defense sq",
        "seconds": 1.5,
        "samples": 8,
        "n_forward": 8,
        "n_backward": 8,
        "device": "a CPU",
        "precision": "float32",
        "versions": {"torch": "2"},
        "date": "2025-01-01",
        "clean_accuracy": 0.5,
        "test_samples": 10,
        "train_fingerprint": "0" * 16,
        "test_fingerprint": "1" * 16,
        "source": "made up",
    }
    return ModelCard(**(fields | changes))


def store_sq(directory: Path, seed: int = 0, **changes: Any) -> StoredModel:
    """An untrained SQ model on disk."""
    card = make_card(seed=seed, **changes)
    torch.manual_seed(seed)
    network = build_network("digits_cnn", SHAPE, 10)
    state = {f"1.{key}": tensor for key, tensor in network.state_dict().items()}
    return save_model(directory, card, halve(state))
