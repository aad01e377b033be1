"""Defenses: how each wraps a network, which views it offers to attacks, and how it is trained."""

from robbench.defenses.batch import TrainingBatch
from robbench.defenses.contract import VIEWS, Defense, DefenseRecipe
from robbench.defenses.registration import defenses, register_defense

__all__ = ["VIEWS", "Defense", "DefenseRecipe", "TrainingBatch", "defenses", "register_defense"]
