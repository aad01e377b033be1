"""The batch of the native engine: slots, each a sample at some ε, restart and step."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Int64
from torch import Tensor

from robbench.sweep.feed import Window
from robbench.tensors import Flags, Images, Keys, Labels

Numbers = Int64[Tensor, " n"]


@dataclass
class Slots:
    """Samples under attack, side by side, each with its own radius and progress.

    Attributes:
        row: The sample's position in its window.
        centers: The unperturbed images.
        labels: The true classes.
        keys: The samples' random keys.
        tried: The grid index of the current attempt.
        survives: The largest grid index known to be survived.
        breaks: The smallest grid index known to break; the size of the grid where none is.
        restart: The number of the current restart, from 0.
        step: Moves made so far.
        iterate: The current image.
        previous: The image before it.
        nearest: The adversarial image found last, if any; its ball is the smallest broken so far.
        hit: The current image looks adversarial and waits for the judge.
        refused: The judge has refused the current image.
        ended: The attempt has made its last step, or can only repeat itself, without success.
    """

    row: Numbers
    centers: Images
    labels: Labels
    keys: Keys
    tried: Numbers
    survives: Numbers
    breaks: Numbers
    restart: Numbers
    step: Numbers
    iterate: Images
    previous: Images
    nearest: Images
    hit: Flags
    refused: Flags
    ended: Flags

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(cls, window: Window, rows: Numbers, first: int, points: int) -> "Slots":
        """Fresh slots for the samples at ``rows`` of a window; their first attempt is not begun yet.

        Args:
            window: The samples.
            rows: Positions in the window.
            first: The grid index tried first.
            points: The size of the grid.
        """
        # Each its own tensor: slots are written in place.
        images = window.images[rows]
        return cls(
            row=rows,
            centers=images,
            labels=window.labels[rows],
            keys=window.keys[rows],
            tried=torch.full_like(rows, first),
            survives=torch.zeros_like(rows),
            breaks=torch.full_like(rows, points),
            restart=torch.zeros_like(rows),
            step=torch.zeros_like(rows),
            iterate=images,
            previous=images,
            nearest=images.clone(),
            hit=torch.zeros_like(rows, dtype=torch.bool),
            refused=torch.zeros_like(rows, dtype=torch.bool),
            ended=torch.zeros_like(rows, dtype=torch.bool),
        )

    def select(self, rows: Tensor) -> "Slots":
        """The slots at some positions, or where a mask is true."""
        return Slots(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def join(self, others: "Slots") -> "Slots":
        """These slots followed by others."""
        return Slots(
            **{
                field.name: torch.cat([getattr(self, field.name), getattr(others, field.name)])
                for field in fields(self)
            }
        )
