"""What was seen of catastrophic overfitting while a model was trained, and what counts as a collapse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from robbench.analysis.intervals import wilson
from robbench.models.records import read_record


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
        recovered: Whether PGD's accuracy was back at the last look: half of its best or more, and above
            guessing by a 95 % interval.
    """

    best: Look
    found: Look
    recovered: bool = False


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
    def verdict(self) -> str:
        """How it went, in a few words for a table."""
        if self.collapse is None:
            # That robustness is lost shows only beside an earlier look.
            return "no collapse" if len(self.looks) > 1 else "no collapse in one look"
        words = f"collapsed at epoch {self.collapse.found.epoch:g}"
        if self.stopped:
            return f"{words}, stopped"
        return f"{words}, recovered" if self.collapse.recovered else words


def find_collapse(looks: Sequence[Look], samples: int, classes: int) -> Collapse | None:
    """The first collapse in a sequence of looks: the network resists one step, and PGD not at all.

    That is catastrophic overfitting (Wong et al. 2020, arXiv:2001.03994). It shows in one of two
    ways. Either robustness that was there is lost: PGD's accuracy falls under half of its best before, while
    the one-step accuracy is above what it was at that best. Or it never came: PGD leaves less than half of
    what guessing gets, one step more than half of the clean accuracy. "There" and "resists" mean above
    guessing by a 95 % interval.

    Args:
        looks: In the order of the steps.
        samples: Images that each look saw.
        classes: The number of classes.
    """
    guessing = 1 / classes

    def above_guessing(share: float) -> bool:
        return bool(wilson(np.array(round(share * samples)), np.array(samples)).low > guessing)

    for position, look in enumerate(looks):
        best = max(looks[:position], key=lambda earlier: earlier.pgd, default=look)
        halved = look.pgd < best.pgd / 2 and look.one_step > best.one_step
        lost = halved and above_guessing(best.pgd)
        void = look.pgd < guessing / 2 and look.one_step > look.clean / 2 and above_guessing(look.one_step)
        if lost or void:
            last = looks[-1].pgd
            return Collapse(best, look, recovered=last >= best.pgd / 2 and above_guessing(last))
    return None


def read_watch(values: Mapping[str, Any]) -> WatchRecord:
    """A record from what JSON made of it.

    Raises:
        KeyError, TypeError: A field is missing, unknown or of another type.
    """
    looks = tuple(read_record(Look, look) for look in values["looks"])
    collapse = values["collapse"]
    if collapse is not None:
        ends = {name: read_record(Look, collapse[name]) for name in ("best", "found")}
        collapse = read_record(Collapse, {**collapse, **ends})
    return read_record(WatchRecord, {**values, "looks": looks, "collapse": collapse})
