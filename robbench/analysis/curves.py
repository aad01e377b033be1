"""From outcome rows to curves of robust accuracy with their intervals."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from robbench.analysis.intervals import wilson
from robbench.schema import CURVES, arrow_schema

_KEYS = ("dataset", "defense", "attack", "backend", "view", "loss", "norm", "criterion", "seed", "job_id")
"""What the samples of one curve have in common."""


def curves_of(outcomes: pa.Table | pd.DataFrame, epsilons: tuple[float, ...]) -> pd.DataFrame:
    """The curves of a table of outcomes.

    Every ε is counted by itself, from ``broken``: the strategy ``independent`` may find a sample broken at
    one ε and not at a larger one. A clean error counts as broken at every ε, as the rows have it.

    Args:
        outcomes: One row per (defense, attack, sample), columns as in :data:`robbench.schema.OUTCOMES`.
        epsilons: The grid to which the lists in ``broken`` belong, pixel scale.

    Returns:
        One row per curve and ε, columns as in :data:`robbench.schema.CURVES`; curves in the order in which
        they first appear, ε in the grid's.

    Raises:
        ValueError: A list in ``broken`` has another length than the grid.
    """
    if isinstance(outcomes, pd.DataFrame):
        outcomes = pa.Table.from_pandas(outcomes[[*_KEYS, "strategy", "broken"]], preserve_index=False)
    survived = ~_broken(outcomes, len(epsilons))
    groups = _group(outcomes)
    n = np.bincount(groups.of_row, minlength=len(groups.first_row))
    correct = np.stack(
        [np.bincount(groups.of_row, weights=column, minlength=len(n)) for column in survived.T], axis=1
    ).astype(np.int64)
    return _tabulate(outcomes, groups, n, correct, epsilons)


class _Groups(NamedTuple):
    """Rows that belong to one curve."""

    of_row: npt.NDArray[np.int64]
    """The curve of each row."""
    first_row: npt.NDArray[np.int64]
    """The first row of each curve."""


def _broken(outcomes: pa.Table, points: int) -> npt.NDArray[np.bool_]:
    """(rows, points): whether each sample is broken at each ε."""
    lists = outcomes["broken"].combine_chunks()
    lengths = pc.unique(pc.fill_null(pc.list_value_length(lists), -1)).to_pylist()  # pyright: ignore[reportAttributeAccessIssue]
    if any(length != points for length in lengths):
        raise ValueError(f"the grid has {points} points, but lists in `broken` have {sorted(lengths)}")
    flags = pc.list_flatten(lists)  # pyright: ignore[reportAttributeAccessIssue]
    return flags.to_numpy(zero_copy_only=False).astype(bool).reshape(-1, points)


def _group(outcomes: pa.Table) -> _Groups:
    codes = first = np.zeros(outcomes.num_rows, dtype=np.int64)
    for key in _KEYS:
        column = outcomes[key].combine_chunks().dictionary_encode()
        codes = codes * max(len(column.dictionary), 1) + column.indices.to_numpy()
        # Renumbered after every column, so that the product of the columns' sizes cannot overflow.
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.argsort(order)
    return _Groups(rank[codes], first[order])


def _tabulate(
    outcomes: pa.Table,
    groups: _Groups,
    n: npt.NDArray[np.int64],
    correct: npt.NDArray[np.int64],
    epsilons: tuple[float, ...],
) -> pd.DataFrame:
    points = len(epsilons)
    heads = outcomes.select(_KEYS).take(groups.first_row)
    totals, hits = np.repeat(n, points), correct.ravel()
    interval = wilson(hits, totals)
    columns = {name: np.repeat(heads[name].to_numpy(), points) for name in _KEYS}
    columns |= {
        "strategy": np.repeat(_strategies(outcomes, groups), points),
        "epsilon": np.tile(np.asarray(epsilons, dtype=np.float64), len(n)),
        "n": totals,
        "n_correct": hits,
        "robust_accuracy": hits / totals,
        "ci_low": interval.low,
        "ci_high": interval.high,
    }
    schema = arrow_schema(CURVES)
    return pa.table({name: pa.array(columns[name]) for name in schema.names}).cast(schema).to_pandas()


def _strategies(outcomes: pa.Table, groups: _Groups) -> npt.NDArray[np.object_]:
    """The strategy of each curve; several, if a job changed it on the way, are joined by ``+``."""
    column = outcomes["strategy"].combine_chunks().dictionary_encode()
    pairs = np.unique(np.stack([groups.of_row, column.indices.to_numpy()]), axis=1)
    names: list[list[str]] = [[] for _ in groups.first_row]
    for group, code in pairs.T:
        names[group].append(column.dictionary[int(code)].as_py())
    return np.array(["+".join(sorted(found)) for found in names], dtype=object)
