"""Attacking a model from Python: nothing is written, and the model is left as it was."""

import operator
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from robbench.analysis.worst_of import curves_with_worst_of
from robbench.attacks.catalog import ResolvedAttack
from robbench.cautions import cautions
from robbench.datasets import Dataset, DatasetInfo, load_dataset
from robbench.datasets.custom import custom_info, from_arrays
from robbench.datasets.loading import first_samples
from robbench.defenses import Defense
from robbench.defenses.check import check_defense
from robbench.defenses.loading import LoadedDefense, load_defense, state_hash
from robbench.devices import DEFAULT_BATCH_SIZES, choose_batch_size, choose_device
from robbench.errors import RobustnessWarning, UserError
from robbench.executors import MemorySink, RunObserver, SilentObserver, run_locally
from robbench.executors.local import Workplace
from robbench.preflight import check_defenses, few_samples
from robbench.preparation import RunSettings, assemble, check_names, resolve_attacks
from robbench.registry import suggest
from robbench.running import cell_outcomes
from robbench.spec import CANONICAL, SweepSpec, grid_text, is_radius, split_names
from robbench.torch_state import plain_torch


class EvaluationOptions(TypedDict, total=False):
    """What :func:`evaluate` takes by name beyond the model, the data, the attacks and the grid.

    One that is None has its default.
    """

    name: str | None
    """What the tables call the model; default ``"model"``."""
    samples: int | None
    """How many samples, from the first; default all."""
    norm: str | None
    """``linf`` (default) or ``l2``."""
    sweep: str | None
    """The sweep strategy."""
    criterion: str | None
    """``top1`` (default) or ``top5``."""
    precision: str | None
    """Of attack steps: ``auto`` (default), ``float32`` or ``bfloat16``; success is judged in float32."""
    seed: int | None
    """Seeds every random number of the attacks; default 0."""
    draws: int | None
    """Forward passes of which the mean is attacked and judged, of a randomized model; default 10."""
    data_dir: str | Path | None
    """Where the registered datasets are."""
    models_dir: str | Path | None
    """Where the sources of transfer attacks are."""
    device: str | None
    """Where it runs; default the model's own device."""
    batch_size: int | None
    """Samples in one pass; default chosen for the device."""
    observer: RunObserver | None
    """Told how it goes."""


class Evaluation(NamedTuple):
    """What an evaluation found."""

    curves: pd.DataFrame
    """One row per attack and ε, worst-of included; the columns of :data:`robbench.schema.CURVES`."""
    outcomes: pd.DataFrame
    """One row per attack and sample; the columns of :data:`robbench.schema.OUTCOMES`."""


Data = str | tuple[Any, ...] | list[Any]
Grid = str | int | float | Real | Sequence[int | float | str] | npt.NDArray[np.generic] | Tensor | None

DEFAULT_ATTACKS = ("pgd100",)
_CALLER = 4
"""Whoever called: :func:`_evaluate` is called by its decorator, and that by a public function."""
_TEXTS = ("name", "norm", "sweep", "criterion", "precision")
_COUNTS = ("samples", "seed", "draws", "batch_size")


def evaluate(
    model: nn.Module | Defense,
    data: Data = "digits",
    attacks: str | Sequence[str] | None = DEFAULT_ATTACKS,
    eps_grid: Grid = "",
    **options: Unpack[EvaluationOptions],
) -> pd.DataFrame:
    """The robust-accuracy curves of a model.

    Args:
        model: Maps images in [0, 1], shape (n, channels, height, width), to logits (n, classes); or a
            :class:`robbench.Defense` with views. It is left as it was found.
        data: A registered dataset's name, or images and labels: arrays or tensors, (n, channels, height,
            width) in [0, 1] or uint8, and (n,) whole numbers from 0.
        attacks: Attack names, as on the command line; in a list, or separated by commas.
        eps_grid: Radii in pixel scale, as on the command line or in a list; ``"canonical"`` or True for the
            dataset's own grid; empty for 0 and the dataset's one standard ε.
        **options: See :class:`EvaluationOptions`.

    Returns:
        One row per attack and ε, with Wilson 95 % intervals; the columns of :data:`robbench.schema.CURVES`.
        Several attacks are followed by ``worst-of``: a sample is broken if any of them broke it.

    Raises:
        UserError: Anything about the request that cannot be, before any attack starts.

    Warns:
        RobustnessWarning: The numbers are not what they seem, as where an attack has no gradient to follow.

    Example:
        >>> robbench.evaluate(model, data=(x, y), attacks=["pgd100", "bpda"], eps_grid="0:0.3:13")
    """
    return _evaluate(model, data, attacks, eps_grid, options).curves


def evaluate_samples(
    model: nn.Module | Defense,
    data: Data = "digits",
    attacks: str | Sequence[str] | None = DEFAULT_ATTACKS,
    eps_grid: Grid = "",
    **options: Unpack[EvaluationOptions],
) -> Evaluation:
    """As :func:`evaluate`, with one row per sample beside the curves."""
    return _evaluate(model, data, attacks, eps_grid, options)


@plain_torch()
def _evaluate(
    model: nn.Module | Defense,
    data: Data,
    attacks: str | Sequence[str] | None,
    eps_grid: Grid,
    options: EvaluationOptions,
) -> Evaluation:
    _check_model(model)
    given = _given(options)
    name, observer = given.pop("name", "model"), given.pop("observer", None) or SilentObserver()
    given |= {key: Path(given[key]) for key in ("data_dir", "models_dir") if key in given}
    settings = RunSettings(**_take(given, RunSettings))
    asked = {"dataset": data if isinstance(data, str) else "custom", "eps_grid": _grid_text(eps_grid)}
    spec = SweepSpec((name,), _attack_names(attacks), **asked, **_take(given, SweepSpec))

    check_names(spec)
    defense = model if isinstance(model, Defense) else Defense(model)
    given_model = LoadedDefense(name, name, defense, state_hash(defense), None, "given from Python")
    home = _device_of(defense.model)
    # On a device that robbench has not been made for, such as mps, the model is set aside.
    fit = home if home.type in DEFAULT_BATCH_SIZES else torch.device("cpu")
    device = fit if settings.device == "auto" else choose_device(settings.device)
    batch_size = choose_batch_size(settings.batch_size, device)
    try:
        info, dataset = _load(data, settings, spec, given_model, device)
        resolved = resolve_attacks(spec, info, dataset.classes)
        loaded = {name: given_model, **_sources(resolved, name, info, dataset, settings)}
        loaded = check_defenses(loaded, dataset, device, spec)
        workplace = Workplace(dataset, loaded, device, batch_size, settings.batch_size is None)
        prepared = assemble(spec, info, workplace, resolved, "robbench.evaluate")
        for caution in cautions(prepared):
            warnings.warn(caution, RobustnessWarning, stacklevel=_CALLER)
        sink = MemorySink()
        run_locally(prepared.plan, prepared.workplace, sink, observer)
    finally:
        for view in defense.views:
            defense.view(view).to(home)
    outcomes = cell_outcomes(prepared.plan, sink)
    return Evaluation(curves_with_worst_of(outcomes, prepared.epsilons), outcomes.to_pandas())


def _check_model(model: object) -> None:
    if not isinstance(model, nn.Module | Defense):
        raise UserError(
            f"A model is a torch.nn.Module or a robbench.Defense, not {type(model).__name__}.",
            "Put what computes the logits into the forward of a torch.nn.Module.",
        )


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that have a value; None stands for the default."""
    known = EvaluationOptions.__annotations__
    if unknown := [key for key in options if key not in known]:
        raise suggest("option of evaluate", unknown[0], known)
    return {key: _checked(key, value) for key, value in options.items() if value is not None}


def _checked(key: str, value: Any) -> Any:
    """An option's value, if it is of the right kind; of one that counts, a number of Python's own type."""
    if key in _TEXTS and not isinstance(value, str):
        raise UserError(f"{key} is text, not {value!r}.")
    if key not in _COUNTS:
        return value
    try:
        return operator.index(value)  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise UserError(f"{key} is a whole number, not {value!r}.") from None


def _take(given: dict[str, Any], kind: type) -> dict[str, Any]:
    """Take out of ``given`` what are fields of a dataclass."""
    names = [field.name for field in fields(kind)]
    return {key: given.pop(key) for key in list(given) if key in names}


def _attack_names(attacks: Any) -> tuple[str, ...]:
    if attacks is None:
        return DEFAULT_ATTACKS
    if isinstance(attacks, str):
        return split_names((attacks,))
    names = tuple(attacks) if isinstance(attacks, Iterable) else (attacks,)
    if other := [name for name in names if not isinstance(name, str)]:
        raise UserError(f"An attack is a name, not {other[0]!r}.", 'Such as "pgd100" or ["pgd100", "bpda"].')
    return names


def _grid_text(eps_grid: object) -> str:
    given, hint = _plain(eps_grid), 'Give radii, as [0, 0.1] or "0:0.3:13", or nothing at all.'
    if given is True:  # as in a TOML file
        return CANONICAL
    if given is None or isinstance(given, str):
        return given or ""
    points = [_plain(point) for point in given] if isinstance(given, Iterable) else [given]
    if not points:
        raise UserError("The grid is empty.", hint)
    if other := [point for point in points if not is_radius(point)]:
        raise UserError(f"A grid is one list of radii, and {other[0]!r} is no radius.", hint)
    return grid_text(points)


def _plain(value: Any) -> Any:
    """What numpy and torch hold, in Python's own numbers and lists."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic | Tensor) else value


def _load(
    data: Data, settings: RunSettings, spec: SweepSpec, model: LoadedDefense, device: torch.device
) -> tuple[DatasetInfo, Dataset]:
    if isinstance(data, str):
        return load_dataset(data, settings.data_dir, samples=spec.samples)
    if not (isinstance(data, tuple | list) and len(data) == 2):
        raise UserError(
            f"Data are a dataset's name or a pair of images and labels, not {type(data).__name__}.",
            "Give data=(images, labels), arrays or tensors; of a DataLoader, its batches put together.",
        )
    dataset = from_arrays(*data)
    # The samples at hand need not have every label, and targeted attacks aim at all that the model knows.
    dataset.classes = check_defense(model, few_samples(dataset), dataset.classes, device)
    return custom_info(dataset), first_samples(dataset, spec.samples, "What was handed over")


def _sources(
    attacks: Sequence[ResolvedAttack], taken: str, info: DatasetInfo, dataset: Dataset, settings: RunSettings
) -> dict[str, LoadedDefense]:
    names = {attack.source for attack in attacks if attack.source}
    if taken in names:
        raise UserError(
            f"The model is called {taken!r}, and so is the source of a transfer attack.",
            "Give the model another name.",
        )
    return {
        name: load_defense(name, info, dataset.classes, dataset.shape, settings.models_dir)
        for name in sorted(names)
    }


def _device_of(model: nn.Module) -> torch.device:
    tensors = [*model.parameters(), *model.buffers()]
    return tensors[0].device if tensors else torch.device("cpu")
