"""What a model format is: a way to write where a model is, and the code that gets it from there."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch

from robbench.datasets import datasets
from robbench.defenses.contract import Defense


class Wanted(NamedTuple):
    """What a defense is wanted for, and where files are; a factory may ask for each by its name."""

    dataset: str
    """The dataset's registered name."""
    shape: tuple[int, int, int]
    """Channels, height and width."""
    classes: int
    """The number of classes."""
    data_dir: Path | None = None
    """The folder of datasets that the user named, for :func:`robbench.datasets.load_dataset`."""
    models_dir: Path | None = None
    """The folder of models that the user named, for :func:`robbench.pretrained`."""
    device: torch.device = torch.device("cpu")
    """Where it will be measured: a program has its devices written into it."""

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many classes a model may tell apart: those of the images at hand, or all of the dataset."""
        of_dataset = len(datasets.get(self.dataset).classes)
        return (self.classes, of_dataset) if of_dataset > self.classes else (self.classes,)


class Made(NamedTuple):
    """A defense from outside robbench."""

    defense: Defense
    title: str
    """What results call it; fit for a file name, and with a dot, so that it is no registered name."""
    source: str
    """Text that changes when the defense does, beyond its tensors: its code, what it imports included, or a
    file's hash. It tells neither where things lie, nor what else was loaded."""


class ModelFormat(ABC):
    """A way to name a model: by a word before a colon, by a file's suffix, or both.

    The class docstring's first line says what it is.
    """

    form: ClassVar[str]
    """How it is written, for messages: ``path/to/file.py:factory``."""
    prefixes: ClassVar[tuple[str, ...]] = ()
    """Words that stand before the first colon."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Suffixes of the file that is named, with their dot."""

    @abstractmethod
    def load(self, name: str, wanted: Wanted) -> Made:
        """Get the model.

        Args:
            name: What the user typed.
            wanted: What it is wanted for.

        Raises:
            UserError: It is not there, cannot be loaded, or is no classifier of such images.
        """


def split_factory_name(name: str) -> tuple[str, str, str]:
    """What stands before the last colon, the colon if there is one, and the factory's name."""
    place, colon, factory = name.rpartition(":")
    # `C:\mine.py` has a colon too, but what follows it is no name of a function.
    if colon and (factory.isidentifier() or not factory):
        return place, colon, factory
    return name, "", ""


def named_file(name: str) -> Path:
    """The file that a name points to, if it points to one."""
    return Path(split_factory_name(name)[0])
