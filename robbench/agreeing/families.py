"""One attack through several backends, and the variants of it that show why outcomes differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from robbench.attacks.catalog import ResolvedAttack, resolve_attack
from robbench.attacks.gradient import step_share
from robbench.attacks.names import BACKENDS, AttackName, parse_attack
from robbench.attacks.parameters import attack_options
from robbench.attacks.registration import attacks
from robbench.datasets import DatasetInfo
from robbench.errors import UserError
from robbench.registry import suggest

NATIVE = "native"
RESTARTS, SHORT_STEP, NUDGED = "restarts", "short step", "nudged step"
MORE_RESTARTS = 3
"""Times as many restarts as asked for, to see what they add."""
FOOLBOX_STEP = {"linf": "1/30", "l2": "1/40"}
"""foolbox's default step as a share of ε, by norm."""
NUDGE = 1e-5
"""A step longer by this share changes images by a few units in the last place of a float32."""


@dataclass(frozen=True)
class Family:
    """One attack through several backends, all parameters equal.

    Attributes:
        name: The attack's canonical name, without a backend.
        members: By backend.
        without_start: The same without a random start, by backend; empty where there is none to leave out.
        variants: The first member, changed in one parameter.
        left_out: Backends asked for that cannot run it, with the reason.
    """

    name: str
    members: Mapping[str, ResolvedAttack]
    without_start: Mapping[str, ResolvedAttack] = field(default_factory=dict)
    variants: Mapping[str, ResolvedAttack] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The backend whose variants are measured: native where it is a member."""
        return next(iter(self.members))

    def attacks(self) -> list[ResolvedAttack]:
        """All attacks of the family."""
        return [*self.members.values(), *self.without_start.values(), *self.variants.values()]


@dataclass(frozen=True)
class Setting:
    """What an attack's parameters depend on.

    Attributes:
        info: The dataset, which gives the step count where a name does not.
        norm: ``linf`` or ``l2``.
        classes: The number of classes.
    """

    info: DatasetInfo
    norm: str
    classes: int

    def resolve(self, name: AttackName) -> ResolvedAttack:
        """Settle every parameter of a named attack."""
        return resolve_attack(name, self.info, self.norm, self.classes)


def check_backends(backends: tuple[str, ...]) -> tuple[str, ...]:
    """The backends asked for, each once; empty: all.

    Raises:
        UserError: One is none, or there is but one.
    """
    for backend in backends:
        if backend not in BACKENDS:
            raise suggest("backend", backend, BACKENDS)
    if len(set(backends)) == 1:
        raise UserError(
            f"There is nothing that {backends[0]} alone could agree with.",
            f"Name two of {', '.join(BACKENDS)}, or leave --backends out.",
        )
    # In the order of BACKENDS: native is the reference wherever it takes part.
    return tuple(backend for backend in BACKENDS if not backends or backend in backends)


def check_plain(text: str) -> AttackName:
    """Take an attack's name apart.

    Raises:
        UserError: It is none, or it names a backend.
    """
    name = parse_attack(text)
    if name.backend is not None:
        raise UserError(
            f"{text!r} names the backend {name.backend}, but here every backend runs the attack.",
            f"Leave @{name.backend} out; --backends chooses among {', '.join(BACKENDS)}.",
        )
    return name


def make_family(text: str, backends: tuple[str, ...], setting: Setting) -> Family:
    """Settle an attack for every backend that can run it.

    Args:
        text: The attack's name, without a backend.
        backends: Those to take, in the order of :data:`robbench.attacks.names.BACKENDS`.
        setting: What its parameters depend on.

    Raises:
        UserError: A name that is none, one with a backend, or fewer than two backends can run it.
    """
    name = check_plain(text)
    plain = setting.resolve(name)
    members, left_out = {}, {}
    for backend in backends:
        try:
            members[backend] = setting.resolve(replace(name, backend=backend))
        except UserError as error:
            if not _runs_one_algorithm(backend):
                left_out[backend] = error.message
    if len(members) < 2:
        raise UserError(
            f"Only {', '.join(members) or 'no backend'} can run {text!r}, so there is nothing to compare: "
            f"{' '.join(left_out.values())}",
            "pgd20 and fgsm run in several libraries; `robbench list attacks` shows which runs where.",
        )
    label = plain.label.replace(f"@{plain.attack.backend}", "", 1)
    without = _switched_off(name, members, setting)
    variants = _variants(name, next(iter(members)), members, setting)
    return Family(label, members, without, variants, left_out)


def _runs_one_algorithm(backend: str) -> bool:
    """Whether a backend has but one attack: that it does not run another is no news."""
    return sum(attack.backend == backend for _, attack in attacks.items()) == 1


def _switched_off(
    name: AttackName, members: Mapping[str, ResolvedAttack], setting: Setting
) -> dict[str, ResolvedAttack]:
    if not all("random_start" in attack_options(type(member.attack)) for member in members.values()):
        return {}
    return {backend: _with(name, backend, setting, random_start="false") for backend in members}


def _variants(
    name: AttackName, backend: str, members: Mapping[str, ResolvedAttack], setting: Setting
) -> dict[str, ResolvedAttack]:
    attack = members[backend].attack
    options = attack_options(type(attack))
    variants = {}
    if "restarts" in options:
        more = MORE_RESTARTS * getattr(attack, "restarts", 1)
        variants[RESTARTS] = _with(name, backend, setting, restarts=str(more))
    if "relative_step" in options:
        variants[SHORT_STEP] = _with(name, backend, setting, relative_step=FOOLBOX_STEP[setting.norm])
        share = step_share(getattr(attack, "relative_step", None), getattr(attack, "steps", None))
        variants[NUDGED] = _with(
            name, backend, setting, random_start="false", relative_step=repr(share * (1 + NUDGE))
        )
    return variants


def _with(name: AttackName, backend: str, setting: Setting, **options: str) -> ResolvedAttack:
    """The attack on a backend with some options changed."""
    changed = {**dict(name.options), **options}
    return setting.resolve(replace(name, backend=backend, options=tuple(changed.items())))
