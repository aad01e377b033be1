"""From a dataset's name to its samples."""

from pathlib import Path

from robbench.datasets.contract import Dataset, DatasetInfo, Split
from robbench.datasets.registration import datasets
from robbench.errors import UserError


def load_dataset(
    name: str, data_dir: Path | None = None, split: Split = "test", samples: int | None = None
) -> tuple[DatasetInfo, Dataset]:
    """A registered dataset and its samples.

    Args:
        name: The registered name.
        data_dir: Where the data lie; None: ``ROBBENCH_DATA``, ``./data``, or a download.
        split: ``train`` or ``test``.
        samples: How many, from the first; None: all.

    Raises:
        UserError: An unknown name, data that are missing or damaged, or a number of samples that is below 1
            or above what the split holds.
    """
    info = datasets.get(name)
    if samples is not None and samples < 1:
        raise UserError(f"A run needs at least 1 sample, not {samples}.", "Leave --samples out to take all.")
    dataset = info.load(data_dir, split)
    if samples is None:
        return info, dataset
    if samples > len(dataset):
        raise UserError(
            f"The {split} split of {info.title} has {len(dataset)} samples, not {samples}.",
            f"Ask for 1 to {len(dataset)}, or leave --samples out to take all.",
        )
    return info, dataset.first(samples)
