"""From what is asked of an agreement to the runs that answer it, loaded and checked."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from robbench.agreeing.families import NATIVE, Family, Setting, check_backends, check_plain, make_family
from robbench.errors import UserError
from robbench.preparation import PreparedRun, RunSettings, assemble, prepare
from robbench.spec import LARGEST_SEED, SweepSpec

LAST, OTHER_SEED = "last-iterate", "other-seed"
SURVIVORS, AS_RUN, AS_RUN_BFLOAT16 = "survivors", "as-run-float32", "as-run-bfloat16"
DEFENSES, ATTACKS, SAMPLES = ("pgd-at",), ("fgsm", "pgd20"), 100
"""What is compared where nothing is asked: quick, one attack with a random start and one without."""


@dataclass(frozen=True)
class AgreementRequest:
    """What is compared.

    Attributes:
        spec: Defenses, attacks without a backend, dataset, samples, grid, norm and seed; its strategy and
            precision are not used.
        backends: Who runs each attack; empty: all that can.
    """

    spec: SweepSpec
    backends: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedAgreement:
    """An agreement that can start.

    Attributes:
        families: The attacks, each through several backends.
        runs: By name; each is stored like any run. That in bfloat16 is left out where a defense fails in it.
        precision: The arithmetic of steps that ``robbench run`` chooses here for these defenses.
        title: The dataset in words.
    """

    families: tuple[Family, ...]
    runs: Mapping[str, PreparedRun]
    precision: str
    title: str

    def folder(self, out: Path | None) -> Path:
        """Where the agreement is kept: ``out``, else a folder of its own, named after what it computes."""
        first = self.runs[LAST]
        name = f"{first.spec.dataset}-{first.manifest['identity'][:8]}"
        return out if out is not None else Path("results") / "agree" / name


def prepare_agreement(request: AgreementRequest, settings: RunSettings, command: str) -> PreparedAgreement:
    """Load and check everything.

    Args:
        request: What is compared.
        settings: Where it is computed.
        command: The command that asked for it, for the record.

    Raises:
        UserError: Anything about the request, the data or the models that cannot be.
    """
    backends = check_backends(request.backends)
    spec = replace(request.spec, sweep="independent", precision="float32")
    for name in spec.attacks:
        check_plain(name)
    loaded = prepare(spec, settings, command)
    if len(loaded.epsilons) == 1:
        raise UserError("The grid holds no ε above 0: there is nothing to attack.", "Such as 0:0.3:13.")
    workplace, info = loaded.workplace, loaded.info
    setting = Setting(info, spec.norm, workplace.dataset.classes)
    every = [make_family(name, backends, setting) for name in spec.attacks]
    families = tuple({family.name: family for family in every}.values())

    def run(attacks: list[str], **changed: str | int) -> PreparedRun:
        asked = replace(spec, defenses=tuple(loaded.titles), attacks=tuple(attacks), **changed)
        return assemble(asked, info, workplace, [resolved[name] for name in attacks], command)

    resolved = {attack.label: attack for family in families for attack in family.attacks()}
    members = [attack.label for family in families for attack in family.members.values()]
    native = [family.members[NATIVE].label for family in families if NATIVE in family.members]
    runs = {
        LAST: run(list(resolved)),
        OTHER_SEED: run(members, seed=(spec.seed + 1) % (LARGEST_SEED + 1)),
    }
    precision = "float32"
    if native:
        runs[SURVIVORS] = run(native, sweep="survivors")
        runs[AS_RUN] = run(native, sweep="auto")
        with suppress(UserError):  # a defense fails in it
            runs[AS_RUN_BFLOAT16] = run(native, sweep="auto", precision="bfloat16")
        precision = run(native, sweep="auto", precision="auto").plan.jobs[0].precision
    return PreparedAgreement(families, runs, precision, info.title)
