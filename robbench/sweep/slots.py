"""The batch of the native engine: slots, each a sample at some ε, restart and step."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.sweep.feed import Window
from robbench.tensors import Flags, Images, Keys, Labels, PerSample

Numbers = Int64[Tensor, " n"]
BRIEF = -1
"""The number of the brief attempt, which comes before all restarts."""


@dataclass
class Slots:
    """Samples under attack, side by side, each with its own radius and progress.

    Attributes:
        row: The sample's position in its window.
        centers: The unperturbed images.
        labels: The true classes.
        keys: The samples' random keys.
        breaks: The smallest grid index known to break; the size of the grid where none is.
        nearest: The adversarial image found last, whose ball is the smallest broken so far; the clean image
            where none is.
        tried: The grid index of the current attempt.
        radius: ε there.
        restart: The number of the attempt's restart, from 0; :data:`BRIEF` for what comes before the first.
        limit: Moves the attempt may make.
        step: Moves made so far.
        iterate: The current image.
        previous: The image before it.
        hit: The current image looks adversarial, or was judged to be.
        refused: The judge has refused the current image.
        ended: The attempt has made its last move, or can only repeat itself, without success.
    """

    row: Numbers
    centers: Images
    labels: Labels
    keys: Keys
    breaks: Numbers
    nearest: Images
    tried: Numbers
    radius: PerSample
    restart: Numbers
    limit: Numbers
    step: Numbers
    iterate: Images
    previous: Images
    hit: Flags
    refused: Flags
    ended: Flags

    def __len__(self) -> int:
        return self.row.size(0)

    @classmethod
    def of(cls, window: Window, rows: Numbers, first: int, restart: int, points: int) -> "Slots":
        """Fresh slots for the samples at ``rows`` of a window; their first attempt is not begun yet.

        Args:
            window: The samples.
            rows: Positions in the window.
            first: The grid index tried first.
            restart: The number of the first attempt there.
            points: The size of the grid.
        """
        # Each its own tensor where it is written in place.
        images, no = window.images[rows], torch.zeros_like(rows, dtype=torch.bool)
        return cls(
            row=rows,
            centers=images,
            labels=window.labels[rows],
            keys=window.keys[rows],
            breaks=torch.full_like(rows, points),
            nearest=images.clone(),
            tried=torch.full_like(rows, first),
            radius=torch.zeros_like(rows, dtype=images.dtype),
            restart=torch.full_like(rows, restart),
            limit=torch.zeros_like(rows),
            step=torch.zeros_like(rows),
            iterate=images,
            previous=images,
            hit=no.clone(),
            refused=no.clone(),
            ended=no.clone(),
        )

    def select(self, rows: Numbers) -> "Slots":
        """The slots at some positions."""
        return _of_columns({name: column.index_select(0, rows) for name, column in vars(self).items()})

    def parted(self, flags: Flags) -> "tuple[Slots, Slots]":
        """The slots whose flag is false, and those whose flag is true; the host waits once for it."""
        count = int(flags.sum()) if len(self) else 0
        if count in (0, len(self)):
            none = _of_columns({name: column[:0] for name, column in vars(self).items()})
            return (none, self) if count else (self, none)
        order = flags.argsort(stable=True)
        return self.select(order[:-count]), self.select(order[-count:])

    @staticmethod
    def joined(groups: Sequence["Slots"]) -> "Slots":
        """Several groups as one; at least one group, of which any may be empty."""
        filled = [group for group in groups if len(group)] or [groups[0]]
        if len(filled) == 1:
            return filled[0]
        columns = [vars(group) for group in filled]
        return _of_columns({name: torch.cat([part[name] for part in columns]) for name in columns[0]})


def _of_columns(columns: dict[str, Tensor]) -> Slots:
    # Not by the constructor, whose types are checked in tests: several times a step, that takes longest.
    slots = object.__new__(Slots)
    vars(slots).update(columns)
    return slots
