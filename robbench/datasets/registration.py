"""The registry of datasets."""

from robbench.datasets.contract import DatasetInfo
from robbench.registry import Registry

datasets: Registry[DatasetInfo] = Registry(
    "dataset",
    "robbench.datasets",
    "robbench list datasets",
    "a robbench.datasets.DatasetInfo",
    lambda member: isinstance(member, DatasetInfo),
)


def register_dataset(info: DatasetInfo) -> DatasetInfo:
    """Make a dataset known by its name."""
    return datasets.register(info.name)(info)
