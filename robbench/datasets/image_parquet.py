"""Parquet files of encoded images, in the layout of Hugging Face's datasets."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from robbench.datasets.contract import DatasetInfo, Split
from robbench.datasets.image_decoding import EncodedImage, decode_images
from robbench.datasets.pixels import LabelledPixels, SourceFormat
from robbench.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

_IMAGE_COLUMNS = ("img", "image")
_SHARD = re.compile(r"-(\d+)-of-(\d+)")


class ImageParquet(SourceFormat):
    """Files whose names start with the split: a struct ``img`` or ``image`` with ``bytes``, and ``label``."""

    def read(self, folder: Path, split: Split, info: DatasetInfo) -> LabelledPixels | None:
        paths = sorted(path for path in folder.glob(f"{split}*.parquet") if path.is_file())
        if not paths:
            return None
        _check_shards(paths)
        tables = [_read_table(path) for path in paths]
        rows = [
            EncodedImage(data, f"{path}, row {number}")
            for path, table in zip(paths, tables, strict=True)
            for number, data in enumerate(table["bytes"].to_pylist())
        ]
        images = decode_images(len(rows), rows.__getitem__, info.shape)
        labels = np.concatenate([table["label"].to_numpy() for table in tables]).astype(np.int64)
        return LabelledPixels(images.pixels, labels, paths[0], "Hugging-Face Parquet", images.encodings)

    def files(self, split: Split) -> str:
        return f"{split}*.parquet"


def _check_shards(paths: list[Path]) -> None:
    """A file named as one of several must have its siblings beside it."""
    for path in paths:
        shard = _SHARD.search(path.name)
        if shard and len(paths) != int(shard[2]):
            raise UserError(
                f"{path} is one of {int(shard[2])} files, but {len(paths)} are in its folder.",
                "Put all files of the split, and only those, into one folder.",
            )


def _read_table(path: Path) -> "pa.Table":
    """The columns ``bytes`` and ``label``, checked to be complete."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            column = _image_column(path, schema)
            table = file.read(columns=[f"{column}.bytes", "label"]).flatten()
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path} is not a Parquet file that can be read: {error}.", "Fetch the file again."
        ) from error
    table = table.select([f"{column}.bytes", "label"]).rename_columns(["bytes", "label"])
    for name in table.column_names:
        if table[name].null_count:
            raise UserError(
                f"{path}: {table[name].null_count} rows have no {name}.",
                "Every row needs an image, as bytes, and a label.",
            )
    return table


def _image_column(path: Path, schema: Any) -> str:
    import pyarrow as pa

    for column in _IMAGE_COLUMNS:
        if column not in schema.names or "label" not in schema.names:
            continue
        kind = schema.field(column).type
        has_bytes = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        if has_bytes and pa.types.is_integer(schema.field("label").type):
            return column
    columns = ", ".join(f"{field.name}: {field.type}" for field in schema) or "none"
    raise UserError(
        f"{path} should have a column `img` or `image`, a struct with `bytes`, and a column `label` of whole "
        f"numbers; it has {columns}.",
        "Convert the file to that layout, which is Hugging Face's.",
    )
