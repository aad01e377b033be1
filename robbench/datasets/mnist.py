"""MNIST: handwritten digits, 60 000 and 10 000 grey images of 28 × 28 (LeCun et al. 1998)."""

from pathlib import Path

from robbench.datasets.contract import (
    ArrayDataset,
    DatasetInfo,
    InnerAttack,
    Quantization,
    Split,
    TrainingPlan,
)
from robbench.datasets.download import download_into
from robbench.datasets.idx import IdxFiles
from robbench.datasets.image_folder import ImageFolder
from robbench.datasets.image_parquet import ImageParquet
from robbench.datasets.registration import register_dataset
from robbench.datasets.sources import load_split
from robbench.epsilon import EpsilonUnit, parse_grid

_FORMATS = (
    IdxFiles((".", "MNIST/raw", "MNIST", "mnist/raw", "mnist", "raw")),
    ImageParquet((".", "mnist", "MNIST", "mnist/mnist", "mnist/data")),
    ImageFolder((".", "mnist", "MNIST")),
)


def _load(data_dir: Path | None, split: Split) -> ArrayDataset:
    return load_split(MNIST, _FORMATS, _download, data_dir, split)


def _download(directory: Path) -> None:
    from torchvision.datasets import MNIST as TorchvisionMNIST

    download_into(directory, "MNIST/raw", "MNIST", lambda root: TorchvisionMNIST(root, download=True))


MNIST = register_dataset(
    DatasetInfo(
        name="mnist",
        title="MNIST",
        shape=(1, 28, 28),
        classes=tuple("0123456789"),
        epsilon=0.3,
        grid=parse_grid("0:0.3:13"),
        unit=EpsilonUnit(1),
        attack_steps=100,
        network="madry_mnist",
        quantization=Quantization(1, 1000.0),
        noise=0.3,
        inner_attack=InnerAttack(0.3, 40, 0.01),
        training=TrainingPlan(50_000, 100, "adam", 1e-4, schedule="constant"),
        load=_load,
    )
)
