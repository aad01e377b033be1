"""CIFAR-10: photographs of ten kinds of things, 50 000 and 10 000 of 32 × 32 (Krizhevsky 2009)."""

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
from robbench.datasets.image_folder import ImageFolder
from robbench.datasets.image_parquet import ImageParquet
from robbench.datasets.registration import register_dataset
from robbench.datasets.sources import load_split
from robbench.datasets.torchvision_batches import TorchvisionBatches
from robbench.epsilon import EpsilonUnit, parse_grid

_FORMATS = (
    TorchvisionBatches((".", "cifar-10-batches-py", "cifar10/cifar-10-batches-py", "cifar10")),
    ImageParquet((".", "cifar10", "cifar10/plain_text", "plain_text", "cifar10/data", "cifar10-jpeg")),
    ImageFolder((".", "cifar10", "cifar-10", "CIFAR10")),
)


def _load(data_dir: Path | None, split: Split) -> ArrayDataset:
    return load_split(CIFAR10, _FORMATS, _download, data_dir, split)


def _download(directory: Path) -> None:
    from torchvision.datasets import CIFAR10 as TorchvisionCIFAR10

    download_into(
        directory, "cifar-10-batches-py", "CIFAR-10", lambda root: TorchvisionCIFAR10(root, download=True)
    )


CIFAR10 = register_dataset(
    DatasetInfo(
        name="cifar10",
        title="CIFAR-10",
        shape=(3, 32, 32),
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        epsilon=8 / 255,
        grid=parse_grid("0:8/255:9"),
        unit=EpsilonUnit(255),
        attack_steps=20,
        network="residual_cnn",
        # The paper's α of 100 is for pixels of 0 to 255.
        quantization=Quantization(2, 100.0 * 255),
        noise=16 / 255,
        inner_attack=InnerAttack(8 / 255, 7, 2 / 255),
        training=TrainingPlan(80_000, 128, "sgd", 0.1, 2e-4, "cosine", augment=True),
        load=_load,
    )
)
