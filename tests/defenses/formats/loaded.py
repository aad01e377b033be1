"""Loading a model for digits, as every test of a format does."""

from pathlib import Path

from robbench.datasets import datasets
from robbench.defenses.loading import LoadedDefense, load_defense

INFO = datasets.get("digits")


def load(name: object, **folders: Path) -> LoadedDefense:
    """What a name stands for on digits."""
    return load_defense(str(name), INFO, 10, (1, 8, 8), **folders)  # pyright: ignore[reportArgumentType]
