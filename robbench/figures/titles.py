"""Names as a stranger reads them: attacks, datasets, defenses and norms in words."""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from robbench.analysis.worst_of import WORST_OF

_ALGORITHMS = {
    "apgd": "APGD",
    "autoattack": "AutoAttack",
    "bpda": "BPDA",
    "deepfool": "DeepFool",
    "fab": "FAB",
    "fgsm": "FGSM",
    "fmn": "FMN",
    "hopskipjump": "HopSkipJump",
    "noise": "Random noise",
    "pgd": "PGD",
    "square": "Square",
    "transfer": "Transfer",
}
_LOSSES = {"ce": "cross-entropy", "cw": "CW∞ loss", "dlr": "DLR loss"}
VIEW_TITLES = {"bpda": " with BPDA", "substitute": ", layer left out", "smooth": ", layer smoothed"}
"""How an attack gets around a defense's non-differentiable layer."""
_BACKENDS = {
    "art": "by ART",
    "foolbox": "by foolbox",
    "pyautoattack": "by its authors’ code",
    "torchattacks": "by torchattacks",
}
_DATASETS = {"cifar10": "CIFAR-10", "digits": "Digits", "imagenet": "ImageNet", "mnist": "MNIST"}
_DEFENSES = {"natural": "Natural", "nsq": "NSQ", "pgd-at": "PGD-AT", "sq": "SQ"}
_NORMS = {"l2": "L₂", "linf": "L∞"}

LONGEST_LIST = 240
"""Characters of what a worst-of counts."""
_LONGEST_NAME = 30
_LONGEST_NUMBERED = 40
_LEAD = 12
"""Characters before the first difference of two long names."""
_LABEL = re.compile(
    r"(?P<algorithm>[a-z]+)(?P<steps>\d+)?(?P<words>(?:-[a-z]+)*)(?:@(?P<backend>[a-z]+))?(?P<options>(?::[^:]+)*)"
)


class AttackTitle(NamedTuple):
    """An attack in words."""

    name: str
    """What it is, short: ``PGD`` or ``BPDA, layer left out``."""
    details: tuple[str, ...]
    """Steps, loss, who ran it and options."""
    plain: str
    """What it is for a defense without a layer to get around: ``PGD`` for ``BPDA``."""


def attack_title(label: str, loss: str = "", backend: str = "") -> AttackTitle:
    """An attack's canonical name in words; a name of another form is returned as it is.

    Args:
        label: For example ``bpda100-substitute-cw@foolbox:restarts=5``.
        loss: The loss it ascends, which the label leaves out where it is the default.
        backend: Who ran it.
    """
    if label == WORST_OF:
        return AttackTitle("Worst of all attacks", (), "")
    match = _LABEL.fullmatch(label)
    if match is None:
        return AttackTitle(printable(label, _LONGEST_NAME), (), printable(label, _LONGEST_NAME))
    algorithm = match["algorithm"]
    words = match["words"].split("-")[1:]
    views = [VIEW_TITLES[word] for word in words if word in VIEW_TITLES]
    plain = _ALGORITHMS.get(algorithm, printable(algorithm, _LONGEST_NAME))
    losses = [word for word in (loss, *words) if word and word not in VIEW_TITLES]
    options = [
        f"{key} {value}" for key, _, value in (o.partition("=") for o in match["options"].split(":")[1:])
    ]
    backends = [_BACKENDS[who] for who in (match["backend"] or backend,) if who in _BACKENDS]
    details = [*_steps(algorithm, match["steps"]), *(_LOSSES.get(word, word) for word in losses[:1])]
    details = tuple(map(printable, [*details, *backends, *options]))
    return AttackTitle("".join([plain, *views]), details, "PGD" if algorithm == "bpda" else plain)


def dataset_title(name: str) -> str:
    """A dataset's name as papers print it; a user's own as it is."""
    return _DATASETS.get(name, printable(name))


def defense_title(name: str) -> str:
    """A defense's name as papers print it; a user's own as it is."""
    return _DEFENSES.get(name, printable(name))


def defense_titles(curves: pd.DataFrame) -> dict[str, str]:
    """A title for each defense of some curves: as its run prints it, so that a collapsed training is marked.

    No two are alike, however long the names are.

    Args:
        curves: Columns as in :data:`robbench.schema.CURVES`, and ``title`` where they were read from runs.
    """
    names = [str(name) for name in curves["defense"]]
    titles = [str(title) for title in curves["title"]] if "title" in curves else names
    named = zip(names, titles, strict=True)
    return distinct_titles(
        {name: _DEFENSES.get(name, name) if title == name else title for name, title in named}
    )


def without_collapse(title: str) -> str:
    """A title without the mark of a collapsed training, for where that is shown in another way."""
    return title.removesuffix(" (collapsed)")


def norm_title(name: str) -> str:
    """A norm's symbol."""
    return _NORMS.get(name, printable(name))


def printable(text: str, longest: int = 44) -> str:
    """A name that fits in a figure: one line of visible characters, long ones shortened in the middle."""
    line = " ".join("".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text).split())
    if len(line) <= longest:
        return line or "(no name)"
    half = (longest - 1) // 2
    return f"{line[:half]}…{line[-half:]}"


def distinct_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """Printable titles, no two alike: long ones begin shortly before they differ; else they are numbered."""
    labels = {name: printable(title) for name, title in titles.items()}
    for alike in _alike(labels):
        letters = enumerate(zip(*(titles[name] for name in alike), strict=False))
        difference = next((position for position, found in letters if len(set(found)) > 1), 0)
        if difference > _LEAD:
            labels |= {name: printable(f"…{titles[name][difference - _LEAD :]}") for name in alike}
    for alike in _alike(labels):
        numbered = enumerate(alike, start=1)
        labels |= {
            name: f"{printable(labels[name], _LONGEST_NUMBERED)} #{number}" for number, name in numbered
        }
    return labels


def _alike(labels: dict[str, str]) -> list[list[str]]:
    """The names that share a label."""
    found: dict[str, list[str]] = {}
    for name, label in labels.items():
        found.setdefault(label, []).append(name)
    return [names for names in found.values() if len(names) > 1]


def _steps(algorithm: str, steps: str | None) -> list[str]:
    if steps is None or algorithm == "fgsm":
        return []
    return ["1 step" if steps == "1" else f"{steps} steps"]
