"""Tables on disk: columns checked against the schema when written and when read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from robbench.errors import UserError
from robbench.files import read_table
from robbench.schema import Column, arrow_schema


def conform(table: pa.Table | pd.DataFrame, columns: tuple[Column, ...]) -> pa.Table:
    """A table with exactly these columns, in their order and with their types.

    Raises:
        ValueError: A column is missing or superfluous, or a value is missing where none may be.
        pyarrow.ArrowException: A value does not fit its column's type.
    """
    schema = arrow_schema(columns)
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    if set(table.column_names) != set(schema.names):
        odd = sorted(set(table.column_names) ^ set(schema.names))
        raise ValueError(f"these columns are missing or superfluous: {', '.join(odd)}")
    return table.select(schema.names).cast(schema)


def read_checked(path: Path, columns: tuple[Column, ...], hint: str) -> pa.Table:
    """Read these columns of a Parquet file, which must have them.

    Raises:
        UserError: The file is missing, damaged, or lacks a column; ``hint`` says what to do then.
    """
    expected = arrow_schema(columns)
    try:
        table = read_table(path, expected.names)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} cannot be read: {_first_line(error)}.", hint) from error
    missing = [name for name in expected.names if name not in table.column_names]
    if missing:
        raise UserError(f"{path} is no table of robbench: it lacks {', '.join(missing)}.", hint)
    try:
        return table.select(expected.names).cast(expected)
    except (ValueError, pa.ArrowException) as error:
        raise UserError(f"{path} holds values of another kind: {_first_line(error)}.", hint) from error


def merge(tables: list[pa.Table], columns: tuple[Column, ...]) -> pa.Table:
    """All rows, sorted by ``sample_index``; of rows that share one, the first."""
    merged = pa.concat_tables([arrow_schema(columns).empty_table(), *tables])
    _, first = np.unique(merged["sample_index"].to_numpy(), return_index=True)
    return merged.take(first).combine_chunks()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
