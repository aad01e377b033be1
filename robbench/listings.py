"""What there is to choose from, as tables."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robbench.text_table import TextTable
from robbench.wording import percent

if TYPE_CHECKING:
    from robbench.models import DamagedModel, StoredModel


def listing(what: str, models_dir: Path | None) -> TextTable:
    """The table of all defenses, attacks, datasets, networks, models or figures.

    Args:
        what: One of those words.
        models_dir: Where models are looked for first.
    """
    tables: dict[str, Callable[[], TextTable]] = {
        "defenses": _defenses,
        "attacks": _attacks,
        "datasets": _datasets,
        "figures": _figures,
        "networks": _networks,
        "models": lambda: _models(models_dir),
    }
    return tables[what]()


def _first_line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("``", "")


def _defenses() -> TextTable:
    from robbench.defenses import DefenseRecipe, defenses

    rows = []
    for name, recipe in defenses.items():
        trained_here = isinstance(recipe, type) and issubclass(recipe, DefenseRecipe)
        rows.append((name, _first_line(recipe), recipe.paper if trained_here else "from another package"))
    return TextTable("Defenses", ("name", "what it is", "paper"), rows)


def _attacks() -> TextTable:
    from robbench.attacks import attacks
    from robbench.attacks.catalog import is_installed
    from robbench.attacks.parameters import attack_options, takes_steps

    rows = [
        ("bpda<N>", "PGD on the view bpda; bpda-substitute and bpda-smooth take other views.", "", ""),
        ("cwinf<N>", "PGD on the CW margin loss.", "", ""),
    ]
    for name, attack in attacks.items():
        options = ", ".join(
            key if default in (None, MISSING) else f"{key}={default}"
            for key, default in attack_options(attack).items()
        )
        algorithm, at, backend = name.partition("@")
        steps = "<N>" if takes_steps(attack) else ""
        missing = "" if is_installed(attack) else f" Needs {attack.requires}, which is not installed."
        what = _first_line(attack) + missing
        rows.append((f"{algorithm}{steps}{at}{backend}", what, "/".join(attack.losses), options))
    return TextTable("Attacks", ("name", "what it is", "losses", "options"), sorted(rows))


def _datasets() -> TextTable:
    from robbench.datasets import datasets

    rows = [
        (
            name,
            f"{info.title}, {' × '.join(map(str, info.shape))}, {len(info.classes)} classes",
            info.unit.format(info.epsilon),
            f"{len(info.grid)} points to {info.unit.format(info.grid[-1])}",
            str(info.attack_steps),
        )
        for name, info in datasets.items()
    ]
    return TextTable("Datasets", ("name", "images", "standard ε", "grid", "PGD steps"), rows, numbers=3)


def _networks() -> TextTable:
    from robbench.datasets import datasets
    from robbench.networks import networks

    rows = []
    for name, build in networks.items():
        default = ", ".join(dataset for dataset, info in datasets.items() if info.network == name)
        rows.append((name, _first_line(build), default))
    return TextTable("Networks", ("name", "what it is", "default of"), rows)


def _models(models_dir: Path | None) -> TextTable:
    from robbench.models import check_models_dir, list_models

    check_models_dir(models_dir)
    rows = [_model_row(model) for model in list_models(models_dir)]
    columns = ("dataset", "defense", "clean accuracy", "training seconds", "seed", "watch", "folder")
    return TextTable("Trained models", columns, rows)


def _model_row(model: "StoredModel | DamagedModel") -> tuple[str, ...]:
    from robbench.models import DamagedModel

    folder = model.weights.parent
    if isinstance(model, DamagedModel):
        return folder.name, model.weights.stem, "damaged", "", "", model.problem, str(folder)
    card = model.card
    return (
        card.dataset,
        card.defense,
        percent(card.clean_accuracy),
        f"{card.seconds:.0f}",
        str(card.seed),
        card.watch.verdict if card.watch else "not watched",
        str(folder),
    )


def _figures() -> TextTable:
    from robbench.figures import figures

    rows = [(name, _first_line(draw)) for name, draw in figures.items()]
    return TextTable("Figures", ("name", "what it shows"), rows)
