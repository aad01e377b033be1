"""Trained models on disk: weights in safetensors, each beside the card that says what it is.

Cards are read without torch; what touches weights is in :mod:`robbench.models.weights`.
"""

from robbench.models.card import ModelCard, StoredModel, card_path, read_card, weights_path
from robbench.models.search import (
    DamagedModel,
    check_models_dir,
    find_model,
    has_model,
    list_models,
    search_path,
)
from robbench.models.watch_record import Collapse, Look, WatchRecord

__all__ = [
    "Collapse",
    "DamagedModel",
    "Look",
    "ModelCard",
    "StoredModel",
    "WatchRecord",
    "card_path",
    "check_models_dir",
    "find_model",
    "has_model",
    "list_models",
    "read_card",
    "search_path",
    "weights_path",
]
