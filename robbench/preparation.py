"""Before anything long starts: loads, resolves and checks everything a sweep needs."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from robbench.attacks import Attack
from robbench.attacks.catalog import ResolvedAttack, resolve_attack
from robbench.attacks.names import parse_attack
from robbench.datasets import DatasetInfo, load_dataset
from robbench.defenses.formats.factories import defining_module
from robbench.defenses.formats.source_text import text_of_module
from robbench.defenses.loading import LoadedDefense, load_defense
from robbench.devices import choose_batch_size, choose_device, choose_precision
from robbench.epsilon import EpsilonUnit, natural_unit
from robbench.errors import UserError
from robbench.executors.local import Workplace
from robbench.preflight import check_defenses, check_gradients, check_predictions, names_without_bfloat16
from robbench.provenance import provenance
from robbench.spec import SweepSpec
from robbench.sweep.judge import check_criterion
from robbench.sweep.plan import Job, Plan, SweepTerms, make_plan
from robbench.sweep.strategies import check_strategy
from robbench.threat import get_norm
from robbench.torch_state import plain_torch

NAMED_CLASSES = 100
"""A run's record names the classes of a dataset that has no more."""


@dataclass(frozen=True)
class RunSettings:
    """Where and with what a sweep is computed; none of it changes a result beyond a rounding.

    Attributes:
        data_dir: Where the datasets are; None: the usual places.
        models_dir: Where the models are; None: the usual places.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``…
        batch_size: Samples in one pass; None: chosen for the device.
    """

    data_dir: Path | None = None
    models_dir: Path | None = None
    device: str = "auto"
    batch_size: int | None = None


@dataclass(frozen=True)
class PreparedRun:
    """A sweep that can start: nothing is left that could be refused.

    Attributes:
        spec: What was asked, with canonical attack names.
        info: The dataset's place in the benchmark.
        epsilons: The grid, ascending, starting with 0.
        plan: The jobs and the curves they answer.
        workplace: Dataset, defenses, device and batch size.
        titles: What a table prints for each defense.
        only_float32: The defenses that fail in bfloat16 or lose their gradient, among those planned to be
            attacked in it; for their sake all steps are taken in float32, unless bfloat16 was asked for.
        unguided: The jobs whose attack differentiates what has a gradient of exactly zero.
        manifest: What the run's ``run.json`` begins with.
    """

    spec: SweepSpec
    info: DatasetInfo
    epsilons: tuple[float, ...]
    plan: Plan
    workplace: Workplace
    titles: dict[str, str]
    only_float32: tuple[str, ...]
    unguided: tuple[Job, ...]
    manifest: dict[str, Any]

    @property
    def unit(self) -> EpsilonUnit:
        """The unit in which its radii are printed."""
        return natural_unit(self.epsilons)


def prepare(spec: SweepSpec, settings: RunSettings, command: str = "") -> PreparedRun:
    """Load and check everything a sweep needs.

    Args:
        spec: What is asked.
        settings: Where it is computed.
        command: The command that asked for it, for the record.

    Raises:
        UserError: Anything about the request, the data or the models that cannot be.
    """
    device = choose_device(settings.device)
    batch_size = choose_batch_size(settings.batch_size, device)
    check_names(spec)
    info, dataset = load_dataset(spec.dataset, settings.data_dir, samples=spec.samples)
    attacks = resolve_attacks(spec, info, dataset.classes)
    names = dict.fromkeys([*spec.defenses, *(attack.source for attack in attacks if attack.source)])
    images = (info, dataset.classes, dataset.shape)
    places = (settings.models_dir, settings.data_dir)
    loaded = {name: load_defense(name, *images, *places, device) for name in names}
    _check_distinct(loaded)
    loaded = check_defenses(loaded, dataset, device, spec)
    workplace = Workplace(dataset, loaded, device, batch_size, settings.batch_size is None)
    return assemble(spec, info, workplace, attacks, command)


@plain_torch()
def assemble(
    spec: SweepSpec, info: DatasetInfo, workplace: Workplace, attacks: Sequence[ResolvedAttack], command: str
) -> PreparedRun:
    """Plan a sweep whose parts are loaded.

    Args:
        spec: What is asked; ``spec.defenses`` are keys of ``workplace.defenses``.
        info: The dataset's place in the benchmark.
        workplace: Dataset, defenses, device and batch size.
        attacks: The attacks of ``spec``, resolved.
        command: The command that asked for it, for the record.

    Raises:
        UserError: An attack asks a defense for a view or a gradient that cannot be had.
    """
    epsilons = spec.epsilons(info.grid, info.epsilon)
    dataset, loaded = workplace.dataset, workplace.defenses
    terms = SweepTerms(
        dataset.name,
        dataset.fingerprint,
        epsilons,
        spec.norm,
        spec.criterion,
        spec.sweep,
        choose_precision(spec.precision, workplace.device),
        spec.seed,
    )
    by_name = {defense.name: defense for defense in loaded.values()}
    # The source of a transfer attack was loaded under what the user typed, such as a file.
    named = [
        replace(attack, source=loaded[attack.source].name) if attack.source else attack for attack in attacks
    ]
    asked = [loaded[name] for name in spec.defenses]
    plan = make_plan(asked, named, terms, by_name)
    workplace = replace(workplace, defenses=by_name)
    only_float32 = names_without_bfloat16(plan, workplace)
    if only_float32 and spec.precision == "auto":
        # All of them: what one run compares is attacked in one arithmetic.
        plan = make_plan(asked, named, replace(terms, precision="float32"), by_name)
    unguided = check_gradients(plan, workplace)
    check_predictions(plan, workplace)
    spec = replace(spec, attacks=tuple(attack.label for attack in attacks))
    return PreparedRun(
        spec=spec,
        info=info,
        epsilons=epsilons,
        plan=plan,
        workplace=workplace,
        titles={defense.name: defense.title for defense in by_name.values()},
        only_float32=only_float32,
        unguided=unguided,
        manifest=_manifest(spec, info, plan, attacks, workplace, unguided, command),
    )


def resolve_attacks(spec: SweepSpec, info: DatasetInfo, classes: int) -> list[ResolvedAttack]:
    """The attacks of a specification, each once.

    Raises:
        UserError: A name that is none, or a combination that cannot be.
    """
    found = [resolve_attack(parse_attack(name), info, spec.norm, classes) for name in spec.attacks]
    resolved = [replace(attack, code=_code_of(attack.attack)) for attack in found]
    for attack in resolved:
        if attack.attack.follows_predictions and spec.criterion != "top1":
            raise UserError(
                f"{attack.label} stops once the label is not first, so it says little of {spec.criterion}.",
                "Use an attack that goes on, such as pgd.",
            )
    return list({attack.label: attack for attack in resolved}.values())


def _code_of(attack: Attack) -> str:
    """What tells an attack's code from others of its name: that of another package is hashed.

    The first revision of robbench's own is not named: what was stored before there were any stays valid.
    """
    module = defining_module(type(attack))
    if module is None or module.__name__.partition(".")[0] == "robbench":
        return f"revision {attack.revision}" if attack.revision > 1 else ""
    return hashlib.sha256(text_of_module(module).encode()).hexdigest()


def check_names(spec: SweepSpec) -> None:
    """Refuse a norm, a precision, a strategy or a criterion that there is not.

    Raises:
        UserError: One of them is unknown.
    """
    get_norm(spec.norm)
    choose_precision(spec.precision, torch.device("cpu"))
    check_strategy(spec.sweep)
    check_criterion(spec.criterion)


def _check_distinct(loaded: dict[str, LoadedDefense]) -> None:
    """Refuse two defenses that the tables would call by the same name."""
    asked_as: dict[str, str] = {}
    for asked, defense in loaded.items():
        other = asked_as.setdefault(defense.name, asked)
        if other != asked:
            raise UserError(
                f"{other!r} and {asked!r} would both be called {defense.name!r}.", "Rename one of the files."
            )


def _manifest(
    spec: SweepSpec,
    info: DatasetInfo,
    plan: Plan,
    attacks: Sequence[ResolvedAttack],
    workplace: Workplace,
    unguided: Sequence[Job],
    command: str,
) -> dict[str, Any]:
    terms, loaded = plan.jobs[0].terms, workplace.defenses
    weights = {name: defense.weights_sha256 for name, defense in loaded.items()}
    asked = {
        **{key: list(value) if isinstance(value, tuple) else value for key, value in asdict(spec).items()},
        "eps_grid": list(terms.epsilons),
        "precision": terms.precision,
        "dataset_fingerprint": terms.fingerprint,
        **{f"weights of {name}": sha for name, sha in weights.items()},
        **{f"code of {attack.label}": attack.code for attack in attacks if attack.code},
        **({"search version": plan.search_version} if plan.search_version else {}),
    }
    if all(defense.draws is None for defense in loaded.values()):
        del asked["draws"]  # nobody is asked more than once, whatever was typed
    dataset = workplace.dataset
    return {
        "identity": hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16],
        "spec": asked,
        "toml": spec.to_toml(),
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "samples": len(dataset),
            "fingerprint": terms.fingerprint,
            **({"classes": list(info.classes)} if len(info.classes) <= NAMED_CLASSES else {}),
        },
        "defenses": {
            name: {
                "title": defense.title,
                "origin": _portable(defense.origin),
                "weights_sha256": weights[name],
                "training_seconds": defense.card.seconds if defense.card else None,
                "collapsed": defense.card.collapsed if defense.card else None,
                **({"draws": defense.draws} if defense.draws else {}),
                **({"unguided": labels} if (labels := _labels_on(name, unguided)) else {}),
            }
            for name, defense in loaded.items()
        },
        **provenance(workplace.device, command),
        "batch_size": workplace.batch_size,
    }


def _labels_on(defense: str, jobs: Sequence[Job]) -> list[str]:
    """The attacks of those jobs that attack a defense."""
    return [job.attack.label for job in jobs if job.defense == defense]


def _portable(origin: str) -> str:
    """A path below the working directory relative to it, so that a run's record means something elsewhere."""
    here = Path.cwd()
    return str(Path(origin).relative_to(here)) if Path(origin).is_relative_to(here) else origin
