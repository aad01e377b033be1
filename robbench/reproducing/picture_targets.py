"""Targets made of pictures: images before and after soft quantization of several slopes."""

from abc import ABC
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from robbench.figures.picture_blocks import draw_blocks
from robbench.files import make_folder, read_table, write_table
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.sample_pictures import sample_pictures
from robbench.reproducing.shelf import Shelf, readable, written_anew_by
from robbench.text_table import TextTable
from robbench.wording import percent

Pictures = npt.NDArray[np.uint8]
"""(n, height, width, channels)."""
PICTURES = "pictures"
Slopes = tuple[tuple[str, float], ...]
MNIST_SLOPES: Slopes = (("10", 10.0), ("1000", 1_000.0), ("100 000", 100_000.0))
CIFAR10_SLOPES: Slopes = (("1 × 255", 255.0), ("100 × 255", 25_500.0), ("10 000 × 255", 2_550_000.0))
IMAGENET_SLOPES: Slopes = (("1", 1.0), ("10 000", 10_000.0), ("1 000 000", 1_000_000.0))
"""α as the paper writes it, and for images in [0, 1]."""
_ORIGINAL = "original"
_COLUMNS = ("images", "K", "α", "mean change", "values that differ", "pixels on a level")


class PictureTarget(Target, ABC):
    """The same images as they are and after soft quantization of K levels, one block per slope."""

    dataset: ClassVar[str]
    levels: ClassVar[int]
    slopes: ClassVar[Slopes]
    count: ClassVar[int]

    def compute(self, shelf: Shelf) -> None:
        if self._path(shelf).is_file() and shelf.read_data(self.name) is not None:
            return
        originals = sample_pictures(self.dataset, self.count)
        blocks = {_ORIGINAL: originals}
        rows = []
        for words, alpha in self.slopes:
            exact = _quantize(originals, self.levels, alpha)
            blocks[words] = np.round(exact * 255).astype(np.uint8)
            rows.append(self._measure(originals, exact, words, alpha))
        make_folder(shelf.folder / PICTURES)
        write_table(self._path(shelf), _to_table(blocks))
        shelf.write_data(self.name, pd.DataFrame(rows))

    def collect(self, shelf: Shelf) -> Collected | None:
        data = shelf.read_data(self.name)
        if data is None or not self._path(shelf).is_file():
            return None
        with readable(self._path(shelf), written_anew_by(self.name)):
            pictures = _from_table(read_table(self._path(shelf)))
        return Collected(data, [], pictures)

    def draw(self, collected: Collected) -> Figure | None:
        blocks = collected.pictures or {}
        named = {name if name == _ORIGINAL else f"α = {name}": block for name, block in blocks.items()}
        return draw_blocks(named, self.caption)

    def table(self, collected: Collected) -> TextTable | None:
        rows = [
            (
                str(row["images"]),
                str(row["levels"]),
                str(row["slope"]),
                f"{row['mean_change']:.4f}",
                f"{row['distinct_values']}",
                percent(row["on_a_level"]),
            )
            for row in collected.data.to_dict("records")
        ]
        return TextTable(f"{self.title}: what S does to the images", _COLUMNS, rows, numbers=3)

    def _path(self, shelf: Shelf) -> Path:
        return shelf.folder / PICTURES / f"{self.name}.parquet"

    def _measure(
        self, originals: Pictures, exact: npt.NDArray[np.float64], words: str, alpha: float
    ) -> dict[str, object]:
        nearest = np.round(exact * self.levels) / self.levels
        return {
            "dataset": self.dataset,
            "images": len(originals),
            "levels": self.levels,
            "slope": words,
            "alpha": alpha,
            "mean_change": round(float(np.abs(exact - originals / 255).mean()), 6),
            "distinct_values": len(np.unique(np.round(exact * 255))),
            "on_a_level": round(float((np.abs(exact - nearest) < 0.5 / 255).mean()), 6),
        }


def _quantize(images: Pictures, levels: int, alpha: float) -> npt.NDArray[np.float64]:
    import torch

    from robbench.defenses.soft_quantization import SoftQuantization

    exact = SoftQuantization(levels, alpha)(torch.from_numpy(images / 255).movedim(-1, 1))
    return exact.movedim(1, -1).numpy()


def _to_table(blocks: dict[str, Pictures]) -> pa.Table:
    columns = {
        "block": list(blocks),
        "shape": [list(block.shape) for block in blocks.values()],
        "pixels": [block.tobytes() for block in blocks.values()],
    }
    return pa.table(columns)


def _from_table(table: pa.Table) -> dict[str, Pictures]:
    return {
        row["block"]: np.frombuffer(row["pixels"], np.uint8).reshape(row["shape"])
        for row in table.to_pylist()
    }
