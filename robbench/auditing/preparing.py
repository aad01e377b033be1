"""Before an audit starts: loads and checks everything, and lays out its runs."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from robbench.auditing.attacks import NORM, REFERENCE, SOURCES, AuditAttacks, choose_attacks
from robbench.auditing.probing import Subject
from robbench.auditing.randomness import Randomness, measure_randomness
from robbench.auditing.registration import checks
from robbench.datasets import DatasetInfo, load_dataset
from robbench.defenses.expectation import averaged
from robbench.defenses.loading import LoadedDefense, load_defense
from robbench.errors import UserError
from robbench.executors.local import Workplace
from robbench.file_names import safe_file_name
from robbench.models import has_model
from robbench.preflight import check_defenses
from robbench.preparation import PreparedRun, RunSettings, assemble, prepare
from robbench.spec import DRAWS, SweepSpec
from robbench.sweep.passes import PartedModel, PassSize

SAMPLES = 200
"""Samples of an audit where the user does not say: none of 200 excludes a share of 1.5 %."""
IMPOSSIBLE = "0.5,1"
"""Radii at which no classifier is robust: all images can be one grey at 0.5, and any image at 1."""


@dataclass(frozen=True)
class PreparedAudit:
    """The audit of one defense, ready to start.

    Attributes:
        loaded: The defense as it is attacked: averaged over draws where its forward pass is random.
        info: The dataset's place in the benchmark.
        attacks: The attacks on it.
        subject: What is probed.
        sweep: All attacks at the radii of the audit, thoroughly.
        alone: The reference attack with every ε by itself, up to 1.
        beyond: The reference attack at radii where no classifier is robust.
        weights_sha256: Of the defense as it was loaded.
        folder: The name of the folder that holds it all.
    """

    loaded: LoadedDefense
    info: DatasetInfo
    attacks: AuditAttacks
    subject: Subject
    sweep: PreparedRun
    alone: PreparedRun
    beyond: PreparedRun
    weights_sha256: str
    folder: str

    @property
    def runs(self) -> dict[str, PreparedRun]:
        """The runs by the names of their folders."""
        return {"attacks": self.sweep, "each-epsilon": self.alone, "large-epsilon": self.beyond}

    @property
    def jobs(self) -> int:
        """How many computations it is."""
        return sum(len(run.plan.jobs) for run in self.runs.values())


def prepare_audits(spec: SweepSpec, settings: RunSettings, command: str = "") -> list[PreparedAudit]:
    """Load and check everything that the audits of some defenses need.

    Args:
        spec: The defenses, dataset, grid, samples and seed; the audit has its own attacks. An empty grid
            becomes a quarter, a half and the whole of the dataset's own; no number of samples becomes
            :data:`SAMPLES`.
        settings: Where it is computed.
        command: The command that asked for it, for the record.

    Raises:
        UserError: Anything about the request, the data or the models that cannot be.
    """
    info, dataset = load_dataset(spec.dataset, settings.data_dir, samples=spec.samples)
    spec = replace(
        spec,
        attacks=(REFERENCE,),
        samples=spec.samples or min(SAMPLES, len(dataset)),
        eps_grid=spec.eps_grid or default_grid(info),
        norm=NORM,
        draws=1,  # who is randomized is measured on all samples, and averaged then
    )
    prepared = prepare(spec, settings, command)
    if len(prepared.epsilons) < 2:
        raise UserError("The grid holds no ε above 0: there is nothing to attack.", "Such as 0.1,0.2,0.3.")
    place = replace(
        prepared.workplace, defenses=_with_sources(spec, info, prepared.workplace, settings.models_dir)
    )
    return [
        prepare_audit(name, replace(spec, defenses=(name,)), info, place, command)
        for name in prepared.workplace.defenses
    ]


def prepare_audit(
    name: str, spec: SweepSpec, info: DatasetInfo, workplace: Workplace, command: str = ""
) -> PreparedAudit:
    """Lay out the audit of one defense whose parts are loaded.

    Args:
        name: The defense, a key of ``workplace.defenses``. Those of :data:`SOURCES` that are also there are
            the sources of transferred images.
        spec: The grid, the samples and the seed.
        info: The dataset's place in the benchmark.
        workplace: Dataset, defenses, device and batch size.
        command: The command that asked for it, for the record.

    Raises:
        UserError: The defense gets no sample right.
    """
    original = workplace.defenses[name]
    model = PartedModel(original.defense.model, PassSize(workplace.batch_size))
    randomness = measure_randomness(model, workplace.dataset, workplace.device, spec.seed)
    _check_useful(original, randomness, len(workplace.dataset))
    loaded = averaged(original, DRAWS) if randomness.is_random else original
    workplace = replace(workplace, defenses={**workplace.defenses, name: loaded})
    sources = [source for source in SOURCES if source in workplace.defenses and source != name]
    further = [attack for _, check in checks.items() for attack in check.attacks]
    attacks = choose_attacks(loaded.defense, sources, further, info, workplace.dataset.classes)

    def run(names: list[str], grid: str, strategy: str) -> PreparedRun:
        """Full precision, so that no gradient is rounded away."""
        asked = replace(
            spec,
            defenses=(name,),
            attacks=tuple(names),
            eps_grid=grid,
            sweep=strategy,
            precision="float32",
            norm=NORM,
        )
        resolved = [attacks.resolved[attack] for attack in names]
        needed = {key: workplace.defenses[key] for key in (name, *(a.source for a in resolved if a.source))}
        return assemble(asked, info, replace(workplace, defenses=needed), resolved, command)

    sweep = run(list(attacks.resolved), spec.eps_grid, "survivors")
    alone = run([REFERENCE], f"{','.join(map(repr, sweep.epsilons))},{IMPOSSIBLE}", "independent")
    beyond = run([REFERENCE], IMPOSSIBLE, "survivors")
    inexact = tuple(view for view in original.defense.views if not original.defense.forwards_exactly(view))
    subject = Subject(loaded.name, loaded.defense, inexact, sweep.epsilons[-1], spec.seed, randomness)
    identity = hashlib.sha256(
        "".join(r.manifest["identity"] for r in (sweep, alone, beyond)).encode()
    ).hexdigest()
    folder = f"{safe_file_name(workplace.dataset.name)}-{safe_file_name(name)}-{identity[:8]}"
    return PreparedAudit(
        loaded, info, attacks, subject, sweep, alone, beyond, original.weights_sha256, folder
    )


def default_grid(info: DatasetInfo) -> str:
    """A quarter, a half and the whole of the dataset's own grid, at its points."""
    last = len(info.grid) - 1
    return ",".join(repr(info.grid[round(last * share)]) for share in (0.25, 0.5, 1))


def _with_sources(
    spec: SweepSpec, info: DatasetInfo, workplace: Workplace, models_dir: Path | None
) -> dict[str, LoadedDefense]:
    """The defenses asked for, and those whose images are transferred, where they are trained."""
    defenses = dict(workplace.defenses)
    dataset = workplace.dataset
    for source in SOURCES:
        # What is not trained here, the check names.
        if source not in defenses and has_model(info.name, source, models_dir):
            loaded = load_defense(source, info, dataset.classes, dataset.shape, models_dir)
            defenses |= check_defenses({source: loaded}, dataset, workplace.device, spec)
    return defenses


def _check_useful(loaded: LoadedDefense, randomness: Randomness, samples: int) -> None:
    if not randomness.correct:
        raise UserError(
            f"The defense {loaded.name} gets none of {samples} samples right: there is nothing to attack.",
            "Check the weights, the order of the classes, and that it takes images in [0, 1].",
        )
