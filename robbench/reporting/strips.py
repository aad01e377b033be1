"""Strips of adversarial examples: what an attack did to a few images of a job."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from robbench.analysis.worst_of import WORST_OF
from robbench.epsilon import EpsilonUnit
from robbench.errors import UserError
from robbench.figures.titles import defense_titles, printable
from robbench.reporting.pictures import Pixels, perturbation_picture, picture
from robbench.store.examples import read_examples

_FLOAT = np.dtype("<f4")


class Example(NamedTuple):
    """One sample: three pictures as data URIs, and what there is to say."""

    number: int
    """Its position in the dataset."""
    label: str
    taken_for: str
    epsilon: str
    image: str
    adversarial: str
    perturbation: str


class Strip(NamedTuple):
    """The examples of one job."""

    defense: str
    attacks: str
    examples: list[Example]


def strips(curves: pd.DataFrame, manifests: Mapping[str, dict[str, Any]], unit: EpsilonUnit) -> list[Strip]:
    """What is there to look at, a strip for each job; jobs without examples have none.

    Args:
        curves: Of one dataset, norm and criterion, each curve once; the columns of
            :data:`robbench.schema.CURVES`, and ``run``.
        manifests: What each run's ``run.json`` says.
        unit: The unit of ε.

    Raises:
        UserError: A file of examples is damaged.
    """
    jobs = curves.loc[curves["attack"] != WORST_OF].drop_duplicates(["defense", "attack"])
    found, titles = [], defense_titles(curves)
    for (run, defense, job), rows in jobs.groupby(["run", "defense", "job_id"], sort=False):
        examples = read_examples(Path(str(run)), str(job))
        names = _class_names(manifests[str(run)])
        shown = [_example(row, names, unit, Path(str(run))) for row in examples.to_dict("records")]
        attacks = ", ".join(printable(str(attack)) for attack in rows["attack"])
        if shown:
            found.append(Strip(titles[str(defense)], attacks, shown))
    return found


def _example(row: dict[Any, Any], names: list[str], unit: EpsilonUnit, run: Path) -> Example:
    image, adversarial = (_pixels(row, column, run) for column in ("image", "adversarial"))
    return Example(
        int(row["sample_index"]),
        _class_name(names, int(row["label"])),
        _class_name(names, int(row["adv_pred"])),
        unit.format(float(row["critical_epsilon"])),
        picture(image),
        picture(adversarial),
        perturbation_picture(adversarial - image),
    )


def _pixels(row: dict[Any, Any], column: str, run: Path) -> Pixels:
    shape = (int(row["channels"]), int(row["height"]), int(row["width"]))
    data: bytes = row[column]
    if shape[0] not in (1, 3) or min(shape) < 1 or len(data) != _FLOAT.itemsize * np.prod(shape):
        raise UserError(
            f"{run} holds an example that is no image: {len(data)} bytes for a shape of {shape}.",
            "Delete its folder `examples`: these images are then not shown, and every number stays.",
        )
    return np.frombuffer(data, _FLOAT).astype(np.float32).reshape(shape)


def _class_names(manifest: dict[str, Any]) -> list[str]:
    """The names of the classes; empty where the run does not say them."""
    dataset = manifest.get("dataset")
    names = dataset.get("classes") if isinstance(dataset, dict) else None
    return [printable(str(name)) for name in names] if isinstance(names, list) else []


def _class_name(names: list[str], label: int) -> str:
    return names[label] if 0 <= label < len(names) else str(label)
