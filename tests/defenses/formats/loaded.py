"""Loading a model for digits, as every test of a format does."""

from robbench.datasets import datasets
from robbench.defenses.loading import LoadedDefense, load_defense

INFO = datasets.get("digits")


def load(name: object) -> LoadedDefense:
    """What a name stands for on digits."""
    return load_defense(str(name), INFO, 10, (1, 8, 8))
