"""ImageNet-like data: a folder of class folders of photographs, read from disk as they are needed."""

from pathlib import Path

from robbench.datasets.contract import DatasetInfo, InnerAttack, Quantization, Split, TrainingPlan
from robbench.datasets.image_folder import ImageFiles, list_images
from robbench.datasets.registration import register_dataset
from robbench.datasets.sources import DEFAULT_DIRECTORY, missing, named_directory
from robbench.datasets.streamed_images import StreamedImages
from robbench.epsilon import EpsilonUnit, parse_grid

_FOLDERS = (".", "imagenet", "ImageNet")
_SPLIT_FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    # The name test comes last: ImageNet's own test images have no labels.
    "test": ("val", "validation", "test"),
}


def _load(data_dir: Path | None, split: Split) -> StreamedImages:
    """Find the images of a split.

    Class folders are labelled by their names where all are numbers, else by their sorted order, which for the
    1 000 folders of ImageNet is the order of every pretrained network. Part of those folders keeps the right
    labels only under names that are numbers.
    """
    directory = named_directory(data_dir) or DEFAULT_DIRECTORY
    files = _find(directory, split)
    if files is None:
        places = [f"{name}/<class>/*.jpg" for name in _SPLIT_FOLDERS[split]]
        places += ["<class>/*.jpg"] if split == "test" else []
        raise missing(IMAGENET, directory, split, f"{', '.join(places)} in {', '.join(_FOLDERS)}")
    source = f"imagenet: image folder, {len(files.names)} images, labels below {files.classes}"
    return StreamedImages("imagenet", files, IMAGENET.shape[1], source)


def _find(directory: Path, split: Split) -> ImageFiles | None:
    roots = [directory / folder for folder in _FOLDERS]
    places = [root / name for root in roots for name in _SPLIT_FOLDERS[split] if (root / name).is_dir()]
    if split == "test":
        # Class folders without a folder for the split are what is evaluated, and never what is trained on.
        places += [root for root in roots if root.is_dir()]
    return next((files for place in places if (files := list_images(place)) is not None), None)


IMAGENET = register_dataset(
    DatasetInfo(
        name="imagenet",
        title="ImageNet",
        shape=(3, 299, 299),
        classes=tuple(f"class {label}" for label in range(1000)),
        epsilon=4 / 255,
        grid=parse_grid("0,1/255,2/255,4/255"),
        unit=EpsilonUnit(255),
        attack_steps=20,
        network="inception_v3",
        quantization=Quantization(8, 10_000.0),
        noise=16 / 255,
        # The paper calls adversarial training infeasible here; these values are in CIFAR-10's proportions.
        inner_attack=InnerAttack(4 / 255, 7, 1 / 255),
        # Fine-tuning of pretrained weights, for which the paper gives no more than "under two days".
        training=TrainingPlan(50_000, 32, "sgd", 1e-3, 4e-5, "cosine", augment=True),
        load=_load,
    )
)
