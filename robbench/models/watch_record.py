"""What was seen of catastrophic overfitting while a model was trained, and what counts as a collapse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from robbench.analysis.intervals import wilson


@dataclass(frozen=True)
class Look:
    """Accuracies on held-out training images after some steps of a training, each from 0 to 1.

    Attributes:
        step: Optimizer steps done.
        epoch: The same in passes over the training images.
        clean: On the images themselves.
        one_step: Under FGSM from the images.
        pgd: Under PGD from a random start.
    """

    step: int
    epoch: float
    clean: float
    one_step: float
    pgd: float


@dataclass(frozen=True)
class Collapse:
    """A catastrophic overfitting: resistance to one step while that to PGD is lost.

    Attributes:
        best: The look with the best accuracy under PGD before.
        found: The first look that counts as collapsed.
    """

    best: Look
    found: Look


@dataclass(frozen=True)
class WatchRecord:
    """A training as it was watched.

    Attributes:
        epsilon: Radius of both attacks in linf, in pixel scale.
        samples: Held-out training images.
        looks: What was seen, in the order of the steps.
        collapse: The first collapse; None: there was none.
        stopped: Whether it ended the training before its time.
        seconds: Time spent looking, not part of the training's.
        n_forward: Forward passes of one image each spent looking, not part of the training's.
        n_backward: Backward passes likewise.
    """

    epsilon: float
    samples: int
    looks: tuple[Look, ...] = ()
    collapse: Collapse | None = None
    stopped: bool = False
    seconds: float = 0.0
    n_forward: int = 0
    n_backward: int = 0

    @property
    def recovered(self) -> bool:
        """Whether, after a collapse, PGD ended at half of its best or more."""
        return self.collapse is not None and self.looks[-1].pgd >= self.collapse.best.pgd / 2

    @property
    def verdict(self) -> str:
        """How it went, in a few words for a table."""
        if self.collapse is None:
            return "no collapse"
        words = f"collapsed at epoch {self.collapse.found.epoch:g}"
        if self.stopped:
            return f"{words}, stopped"
        return f"{words}, recovered" if self.recovered else words


def find_collapse(looks: Sequence[Look], samples: int, classes: int) -> Collapse | None:
    """The first collapse in a sequence of looks.

    A look is collapsed where PGD's accuracy is under half of the best before it, and the one-step accuracy
    above what it was at that best (the signature of catastrophic overfitting, Wong et al. 2020,
    arXiv:2001.03994, section 5.3). A best that guessing explains is no best: the lower end of its 95 %
    interval lies above one in ``classes``.

    Args:
        looks: In the order of the steps.
        samples: Images that each look saw.
        classes: The number of classes.
    """
    for position, look in enumerate(looks):
        best = max(looks[:position], key=lambda earlier: earlier.pgd, default=look)
        low = wilson(np.array(round(best.pgd * samples)), np.array(samples)).low
        if low > 1 / classes and look.pgd < best.pgd / 2 and look.one_step > best.one_step:
            return Collapse(best, look)
    return None


def read_watch(values: Mapping[str, Any]) -> WatchRecord:
    """A record from what JSON made of it.

    Raises:
        TypeError: A field is missing or unknown.
    """
    looks = tuple(Look(**look) for look in values["looks"])
    found = values["collapse"]
    collapse = found and Collapse(Look(**found["best"]), Look(**found["found"]))
    return WatchRecord(**{**values, "looks": looks, "collapse": collapse})
