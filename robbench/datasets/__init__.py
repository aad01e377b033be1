"""Datasets: images in [0, 1] with labels, and the protocol under which each is benchmarked."""

from robbench.datasets.contract import (
    ArrayDataset,
    Dataset,
    DatasetInfo,
    InnerAttack,
    Quantization,
    Samples,
    TrainingPlan,
)
from robbench.datasets.custom import from_arrays
from robbench.datasets.loading import check_count, load_dataset
from robbench.datasets.registration import datasets, register_dataset

__all__ = [
    "ArrayDataset",
    "Dataset",
    "DatasetInfo",
    "InnerAttack",
    "Quantization",
    "Samples",
    "TrainingPlan",
    "check_count",
    "datasets",
    "from_arrays",
    "load_dataset",
    "register_dataset",
]
