"""The registry of defenses."""

from robbench.defenses.contract import DefenseRecipe
from robbench.registry import Registry

defenses: Registry[type[DefenseRecipe]] = Registry("defense", "robbench.defenses")
register_defense = defenses.register
