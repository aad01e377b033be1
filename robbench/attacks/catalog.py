"""From an attack's name to the attack: looks it up, settles view and loss, refuses what cannot be."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from robbench.attacks.contract import Attack
from robbench.attacks.names import BACKENDS, AttackName
from robbench.attacks.parameters import attack_options, read_parameters
from robbench.attacks.registration import attacks, registered_name
from robbench.datasets import DatasetInfo
from robbench.defenses import VIEWS
from robbench.errors import UserError
from robbench.registry import suggest


@dataclass(frozen=True)
class ResolvedAttack:
    """An attack with every parameter settled.

    Attributes:
        attack: The attack.
        view: The view it asks for.
        source: The defense whose classifier is differentiated instead, for a transfer attack; else empty.
        label: The canonical name, which curves and figures show.
        code: The SHA-256 of the code of an attack that is not robbench's own; ``revision N`` of one that is,
            past the first; else empty.
    """

    attack: Attack
    view: str
    source: str
    label: str
    code: str = ""

    @property
    def loss(self) -> str:
        """The loss it ascends; empty where the loss is no choice."""
        return getattr(self.attack, "loss", "")


def resolve_attack(name: AttackName, info: DatasetInfo, norm: str, classes: int) -> ResolvedAttack:
    """Settle every parameter of a named attack.

    Args:
        name: The name, taken apart.
        info: The dataset, which gives the step count where the name does not.
        norm: ``linf`` or ``l2``.
        classes: The number of classes.

    Raises:
        UserError: Unknown algorithm, backend, loss or option; a combination that cannot be; a library that
            is not installed.
    """
    attack_class = _find(name)
    options = dict(name.options)
    words = list(name.words)
    view = _take_view(name, attack_class, words, options)
    source = options.pop("source", "") if attack_class.algorithm == "transfer" else ""
    if attack_class.algorithm == "transfer" and not source:
        raise UserError(
            f"{name.text!r} does not say which defense's images to transfer.",
            "Write transfer:source=natural.",
        )
    loss = _take_loss(name, attack_class, words, options)
    if words and not attack_class.losses and not _views_of(attack_class):
        raise UserError(
            f"{attack_class.algorithm} has no losses and no views, and {name.text!r} asks for {words[0]!r}.",
            f"Write {attack_class.algorithm}.",
        )
    if words:
        raise _unknown_word(name, attack_class, words[0])
    parameters = read_parameters(name, attack_class, options, info)
    if loss:
        parameters["loss"] = loss
    _check_possible(name, attack_class, norm, classes, loss)
    attack = attack_class(**parameters)
    return ResolvedAttack(attack, view, source, _label(attack, view, source))


def is_installed(attack_class: type[Attack]) -> bool:
    """Whether the library that an attack needs can be imported."""
    return not attack_class.requires or importlib.util.find_spec(attack_class.requires) is not None


def _find(name: AttackName) -> type[Attack]:
    known = attacks.names()
    offered = [backend for backend in BACKENDS if registered_name(name.algorithm, backend) in known]
    if not offered:
        algorithms = {registered.partition("@")[0] for registered in known} | {"cwinf", "bpda"}
        raise suggest("attack", name.algorithm, algorithms, "robbench list attacks")
    if name.backend is not None and name.backend not in offered:
        raise UserError(
            f"{name.algorithm!r} does not run on the backend {name.backend!r}.",
            f"It runs on {', '.join(offered)}.",
        )
    return attacks.get(registered_name(name.algorithm, name.backend or _preferred(name.algorithm, offered)))


def _unknown_word(name: AttackName, attack_class: type[Attack], word: str) -> UserError:
    """The error for a word that is no loss and no view here; where another backend has it, that is said."""
    algorithm = attack_class.algorithm
    having = [
        registered.partition("@")[2] or "native"
        for registered, other in attacks.items()
        if other.algorithm == algorithm and word in other.losses
    ]
    if having:
        return UserError(
            f"{name.text!r} asks for the loss {word!r}, which {algorithm} does not have on the backend "
            f"{attack_class.backend!r}.",
            f"It is there on {', '.join(sorted(having, key=BACKENDS.index))}.",
        )
    return suggest(f"loss or view of {algorithm}", word, [*attack_class.losses, *_views_of(attack_class)])


def _preferred(algorithm: str, offered: Sequence[str]) -> str:
    """The first backend; one that only an extra brings gives way to the next where it is not installed."""
    first = attacks.get(registered_name(algorithm, offered[0]))
    return offered[0] if len(offered) == 1 or not first.is_extra or is_installed(first) else offered[1]


def _views_of(attack_class: type[Attack]) -> tuple[str, ...]:
    if not attack_class.uses_gradient or attack_class.algorithm == "transfer":
        return ()
    return tuple(v for v in VIEWS if v != "substitute" or not attack_class.follows_predictions)


def _take_view(
    name: AttackName, attack_class: type[Attack], words: list[str], options: dict[str, str]
) -> str:
    asked = [word for word in words if word in VIEWS]
    words[:] = [word for word in words if word not in VIEWS]
    if "view" in options:
        asked.append(options.pop("view"))
    # `bpda-substitute`: the word bpda comes from the name, the second one says which kind. `exact` is none.
    kinds = asked if "exact" in asked else [view for view in asked if view != "bpda"]
    distinct = list(dict.fromkeys(kinds)) or asked[:1]
    if len(distinct) > 1:
        raise UserError(f"{name.text!r} asks for several views: {', '.join(distinct)}.", "Give one.")
    view = distinct[0] if distinct else "exact"
    if view not in VIEWS:
        raise suggest("view", view, VIEWS)
    if view == "exact" or view in _views_of(attack_class):
        return view
    if not _views_of(attack_class):
        raise UserError(
            f"{name.text!r} asks for the view {view!r}, but {attack_class.algorithm} differentiates no model "
            "of the defense.",
            "Leave the view out.",
        )
    raise UserError(
        f"{name.text!r} asks for the view {view!r}, whose predictions are not the defense's, and "
        f"{attack_class.algorithm} leaves a sample that it sees broken.",
        f"Use pgd, or one of the views {', '.join(_views_of(attack_class))}.",
    )


def _take_loss(
    name: AttackName, attack_class: type[Attack], words: list[str], options: dict[str, str]
) -> str:
    asked = [word for word in words if word in attack_class.losses]
    words[:] = [word for word in words if word not in attack_class.losses]
    if "loss" in options:
        asked.append(options.pop("loss"))
    if len(set(asked)) > 1:
        raise UserError(f"{name.text!r} asks for several losses: {', '.join(asked)}.", "Give one.")
    if not attack_class.losses:
        if asked:
            raise UserError(f"The loss of {attack_class.algorithm} is no choice.", f"Leave {asked[0]!r} out.")
        return ""
    loss = asked[0] if asked else attack_class.losses[0]
    if loss not in attack_class.losses:
        raise suggest(f"loss of {attack_class.algorithm}", loss, attack_class.losses)
    return loss


def _check_possible(name: AttackName, attack_class: type[Attack], norm: str, classes: int, loss: str) -> None:
    if norm not in attack_class.norms:
        raise UserError(
            f"{name.text!r} does not work in the norm {norm}.",
            f"It works in {', '.join(attack_class.norms)}.",
        )
    needed = max(attack_class.minimum_classes, attack_class.loss_minimum_classes.get(loss, 0))
    if classes < needed:
        others = [each for each in attack_class.losses if each != loss]
        raise UserError(
            f"{name.text!r} needs at least {needed} classes; here there are {classes}.",
            f"Use another loss: {', '.join(others)}." if others else "",
        )
    if not is_installed(attack_class):
        package = {"art": "adversarial-robustness-toolbox"}.get(attack_class.requires, attack_class.requires)
        raise UserError(
            f"{name.text!r} needs {attack_class.requires}, which is not installed.",
            f"Install it: pip install {package}. `robbench list attacks` shows what is there.",
        )


def _label(attack: Attack, view: str, source: str) -> str:
    """The shortest canonical name: what equals a default is left out."""
    steps = getattr(attack, "steps", None)
    default = {field.name: field.default for field in fields(attack)}  # pyright: ignore[reportArgumentType]
    algorithm = attack.algorithm
    words: list[str] = []
    if view != "exact":
        algorithm, words = ("bpda", []) if algorithm == "pgd" else (algorithm, [view])
        if algorithm == "bpda" and view != "bpda":
            words = [view]
    loss = getattr(attack, "loss", "")
    if loss and loss != attack.losses[0]:
        words.append(loss)
    options = [f"source={source}"] if source else []
    options += [
        f"{key}={_text(value)}"
        for key in attack_options(type(attack))
        if (value := getattr(attack, key)) != default[key]
    ]
    show_steps = "steps" in default and steps != default["steps"]
    parts = [algorithm, str(steps) if show_steps else "", *(f"-{word}" for word in words)]
    parts += ["" if attack.backend == "native" else f"@{attack.backend}", *(f":{o}" for o in options)]
    return "".join(parts)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
