"""The registry of defenses."""

from robbench.defenses.contract import DefenseRecipe
from robbench.registry import Registry

defenses: Registry[type[DefenseRecipe]] = Registry(
    "defense",
    "robbench.defenses",
    "robbench list defenses",
    "a factory or a class of robbench.defenses.DefenseRecipe",
    callable,
)
register_defense = defenses.register
