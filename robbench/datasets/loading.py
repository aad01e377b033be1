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
    check_count(samples)
    return info, first_samples(info.load(data_dir, split), samples, f"The {split} split of {info.title}")


def first_samples(dataset: Dataset, samples: int | None, name: str) -> Dataset:
    """The first so many samples of a dataset.

    Args:
        dataset: Whose samples.
        samples: How many; None: all.
        name: What the dataset is, for the message.

    Raises:
        UserError: A number of samples that is below 1 or above what there are.
    """
    check_count(samples)
    if samples is None:
        return dataset
    if samples > len(dataset):
        raise UserError(
            f"{name} has {len(dataset)} samples, not {samples}.",
            f"Ask for 1 to {len(dataset)}, or leave --samples out to take all.",
        )
    return dataset.first(samples)


def check_count(samples: int | None) -> None:
    """Refuse to take no sample.

    Args:
        samples: How many are asked for; None: all.

    Raises:
        UserError: There are fewer than one.
    """
    if samples is not None and samples < 1:
        raise UserError(f"A run needs at least 1 sample, not {samples}.", "Leave --samples out.")
