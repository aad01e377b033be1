"""Adversarial images of a few samples, kept so that a person can look at them."""

from dataclasses import dataclass

import pyarrow as pa
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from robbench.schema import EXAMPLES, arrow_schema
from robbench.sweep.feed import Window
from robbench.tensors import Flags, Images

CANDIDATES = 64
"""Only the first so many samples of a dataset are looked at, so that every job shows the same images."""
CANDIDATE_VALUES = 2**20
"""Pixel values of all candidates together: of large images fewer are looked at, but at least one."""


@dataclass(frozen=True)
class Examples:
    """The closest adversarial image found of the first samples of a dataset; written as a sweep goes on.

    Attributes:
        slot: Per sample of the window, its row in ``images``; the last row is everybody else's.
        images: The images, as the judge saw them.
    """

    slot: Int64[Tensor, " n"]
    images: Float[Tensor, "slots channels height width"]

    @classmethod
    def of(cls, window: Window) -> "Examples":
        """Room for the candidates among the samples of a window."""
        shape = window.images.shape[1:]
        looked_at = window.index < max(1, min(CANDIDATES, CANDIDATE_VALUES // shape.numel()))
        count = int(looked_at.sum())
        slot = torch.where(looked_at, looked_at.cumsum(0) - 1, count)
        return cls(slot.to(window.images.device), window.images.new_zeros((count + 1, *shape)))

    def keep(self, rows: Tensor, images: Images, which: Flags) -> None:
        """Keep some images of the samples at ``rows``, in place of those kept before.

        Nothing is read on the host, which would stall a GPU.

        Args:
            rows: Positions in the window, each once.
            images: An adversarial image for each.
            which: Those to keep.
        """
        nobody = len(self.images) - 1
        self.images[torch.where(which, self.slot[rows], nobody)] = images

    def table(self, window: Window, rows: Int64[Tensor, " m"], outcomes: pa.Table) -> pa.Table:
        """What is kept of some samples that are decided, columns as in :data:`robbench.schema.EXAMPLES`.

        Args:
            window: The samples.
            rows: Positions in the window.
            outcomes: The outcome row of each.
        """
        slots = self.slot[rows].tolist()
        attacked = outcomes["clean_correct"].to_pylist()
        # An attack that minimizes may have found an image beyond the grid only.
        broken = outcomes["critical_epsilon"].is_valid().to_pylist()
        nobody = len(self.images) - 1
        chosen = [i for i, slot in enumerate(slots) if slot < nobody and attacked[i] and broken[i]]
        where = rows[torch.tensor(chosen, dtype=torch.int64, device=rows.device)]
        channels, height, width = self.images.shape[1:]
        values: dict[str, list[object]] = {
            "channels": [channels] * len(chosen),
            "height": [height] * len(chosen),
            "width": [width] * len(chosen),
            "image": _bytes(window.images[where]),
            "adversarial": _bytes(self.images[self.slot[where]]),
        }
        schema = arrow_schema(EXAMPLES)
        shared = outcomes.select([name for name in schema.names if name not in values]).take(
            pa.array(chosen, pa.int64())
        )
        columns = [
            pa.array(values[field.name], field.type) if field.name in values else shared[field.name]
            for field in schema
        ]
        return pa.Table.from_arrays(columns, schema=schema)


def _bytes(images: Images) -> list[object]:
    """Each image's pixels; the host waits once for all."""
    return [image.tobytes() for image in images.cpu().numpy().astype("<f4")]
