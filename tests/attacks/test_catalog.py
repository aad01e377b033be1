"""From names to attacks: every parameter settled, every impossible wish refused."""

import importlib.util
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbench.attacks import attacks, parse_attack
from robbench.attacks.art_adapter import ArtPGD
from robbench.attacks.catalog import ResolvedAttack, is_installed, resolve_attack
from robbench.attacks.foolbox_adapter import FoolboxPGD
from robbench.attacks.gradient import FGSM, PGD
from robbench.attacks.parameters import attack_options
from robbench.attacks.pyautoattack_adapter import PyAutoAttack
from robbench.attacks.torchattacks_adapter import TorchattacksAPGD
from robbench.attacks.torchattacks_autoattack import TorchattacksAutoAttack
from robbench.attacks.transfer import Transfer
from robbench.datasets import datasets
from robbench.defenses import VIEWS
from robbench.errors import UserError

INFO = datasets.get("mnist")


def resolve(text: str, norm: str = "linf", classes: int = 10) -> ResolvedAttack:
    return resolve_attack(parse_attack(text), INFO, norm, classes)


@pytest.mark.parametrize(
    ("text", "attack", "view"),
    [
        ("fgsm", FGSM(), "exact"),
        ("pgd", PGD(steps=INFO.attack_steps), "exact"),
        ("pgd20-cw", PGD(steps=20, loss="cw"), "exact"),
        ("cwinf", PGD(steps=INFO.attack_steps, loss="cw"), "exact"),
        ("bpda", PGD(steps=INFO.attack_steps), "bpda"),
        ("bpda7-cw", PGD(steps=7, loss="cw"), "bpda"),
        ("bpda-substitute", PGD(steps=INFO.attack_steps), "substitute"),
        ("pgd7:view=smooth:loss=cw", PGD(steps=7, loss="cw"), "smooth"),
        ("pgd7:restarts=5:relative_step=1/4", PGD(steps=7, restarts=5, relative_step=0.25), "exact"),
        ("pgd100:relative_step=2.5/100", PGD(steps=100, relative_step=0.025), "exact"),
        ("pgd40@foolbox:random_start=false", FoolboxPGD(steps=40, random_start=False), "exact"),
        ("bpda9@art", ArtPGD(steps=9), "bpda"),
        ("apgd", TorchattacksAPGD(), "exact"),
        ("apgd30-dlr-bpda", TorchattacksAPGD(steps=30, loss="dlr"), "bpda"),
        ("autoattack:queries=100", PyAutoAttack(queries=100), "exact"),
        ("autoattack@torchattacks:queries=100", TorchattacksAutoAttack(queries=100), "exact"),
        ("transfer7:source=natural", Transfer(steps=7), "exact"),
    ],
)
def test_settles_every_parameter(text, attack, view) -> None:
    resolved = resolve(text)
    assert resolved.attack == attack
    assert type(resolved.attack) is type(attack)
    assert resolved.view == view
    assert resolved.source == ("natural" if "source" in text else "")


@pytest.mark.parametrize(
    ("text", "backend"),
    [
        ("fgsm", "native"),
        ("pgd", "native"),
        ("noise", "native"),
        ("square", "torchattacks"),
        ("apgd", "torchattacks"),
        ("fab", "torchattacks"),
        ("autoattack", "pyautoattack"),
        ("deepfool", "foolbox"),
        ("fmn", "foolbox"),
        ("hopskipjump", "art"),
    ],
)
def test_chooses_the_backend_where_none_is_given(text, backend) -> None:
    assert resolve(text).attack.backend == backend


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("PGD40", "pgd40"),
        ("cwinf40", "pgd40-cw"),
        ("bpda-substitute", "bpda100-substitute"),
        ("pgd9-substitute-cw@foolbox", "bpda9-substitute-cw@foolbox"),
        ("fgsm-bpda", "fgsm-bpda"),
        ("square:queries=5000", "square@torchattacks"),
        ("autoattack50:queries=100", "autoattack50@pyautoattack:queries=100"),
        ("pgd9:restarts=1:random_start=no", "pgd9:random_start=false"),
        ("transfer9:source=natural", "transfer9:source=natural"),
        ("noise100", "noise"),
    ],
)
def test_labels_are_short_and_canonical(text, label) -> None:
    assert resolve(text).label == label


def values_of(kind: Any) -> st.SearchStrategy[str]:
    """Texts that an option of this type takes."""
    if kind is bool:
        return st.sampled_from(["true", "false", "yes", "0"])
    if kind is int:
        return st.integers(1, 10**6).map(str)
    return st.floats(1e-12, 1e6).map(repr) | st.tuples(st.integers(1, 99), st.integers(1, 99)).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )


@st.composite
def names(draw: st.DrawFn) -> tuple[str, str]:
    """A valid attack name, and a norm that it works in."""
    attack_class: Any = draw(st.sampled_from([member for _, member in attacks.items()]))
    own = {field.name: field.type for field in fields(attack_class)}
    steps = draw(st.none() | st.integers(1, 999)) if "steps" in own else None
    words = (
        [draw(st.sampled_from(attack_class.losses))] if attack_class.losses and draw(st.booleans()) else []
    )
    if attack_class.uses_gradient and attack_class.algorithm != "transfer" and draw(st.booleans()):
        known = [view for view in VIEWS if view != "substitute" or not attack_class.follows_predictions]
        words.append(draw(st.sampled_from(known)))
    options = ["source=natural"] if attack_class.algorithm == "transfer" else []
    for key in attack_options(attack_class):
        if draw(st.booleans()):
            kind = {"restarts": int, "queries": int, "random_start": bool}.get(key, float)
            options.append(f"{key}={draw(values_of(kind))}")
    text = "".join(
        [
            attack_class.algorithm,
            str(steps or ""),
            *(f"-{word}" for word in draw(st.permutations(words))),
            f"@{attack_class.backend}",
            *(f":{option}" for option in draw(st.permutations(options))),
        ]
    )
    return text, draw(st.sampled_from(attack_class.norms))


@given(names())
def test_a_label_names_the_same_attack_again(name) -> None:
    text, norm = name
    resolved = resolve(text, norm)
    again = resolve(resolved.label, norm)
    assert again == resolved
    assert type(again.attack) is type(resolved.attack)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("pdg20", "no attack called 'pdg'", "pgd"),
        ("autoatack", "no attack called 'autoatack'", "autoattack"),
        ("cw@torchattacks", "no attack called 'cw'", "robbench list attacks"),
        ("fmn@art", "'fmn' does not run on the backend 'art'", "foolbox"),
        ("deepfool@native", "does not run on the backend 'native'", "foolbox"),
        ("pgd-cx", "no loss or view of pgd called 'cx'", "cw"),
        ("pgd-dlr@torchattacks", "no loss or view of pgd called 'dlr'", "ce"),
        ("cwinf@torchattacks", "does not have on the backend 'torchattacks'", "native, foolbox, art"),
        ("pgd:steps=5", "step count of an attack is no option", "Write pgd5"),
        ("apgd@torchattacks:steps=5", "step count of an attack is no option", "Write apgd5@torchattacks."),
        ("pgd:eps=0.1", "radius is no option", "--eps-grid"),
        ("pgd:restarts=10@foolbox", "is not a whole number", "backend stands before the options"),
        ("pgd:loss=dlr", "no loss of pgd called 'dlr'", "ce"),
        ("pgd-ce-cw", "asks for several losses: ce, cw", "one"),
        ("pgd-smooth-substitute", "asks for several views: smooth, substitute", "one"),
        ("bpda-exact", "asks for several views: bpda, exact", "one"),
        ("bpda:view=exact", "asks for several views: bpda, exact", "one"),
        ("pgd-exact-bpda", "asks for several views: exact, bpda", "one"),
        ("pgd:view=brda", "no view called 'brda'", "bpda"),
        ("noise-bpda", "noise differentiates no model", "Leave"),
        ("square-bpda", "square differentiates no model", "Leave"),
        ("transfer-bpda:source=natural", "transfer differentiates no model", "Leave"),
        ("apgd-substitute", "leaves a sample that it sees broken", "exact, bpda, smooth"),
        ("autoattack-substitute", "leaves a sample that it sees broken", "pgd"),
        ("transfer", "does not say which defense's images", "transfer:source=natural"),
        ("fgsm5", "fgsm takes no step count", "Write fgsm"),
        ("square100", "square takes no step count", "Write square"),
        ("pgd:restart=5", "no option of pgd called 'restart'", "restarts"),
        ("fmn:restarts=5", "no option of fmn called 'restarts'", "There are: (none)"),
        ("noise-cw", "noise has no losses and no views", "Write noise"),
    ],
)
def test_refuses_what_cannot_be(text, message, hint) -> None:
    with pytest.raises(UserError) as error:
        resolve(text)
    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    "text",
    ["fmn", "square", "square@art", "autoattack@torchattacks", "fgsm@torchattacks", "pgd@torchattacks"],
)
def test_refuses_a_norm_that_an_attack_does_not_know(text) -> None:
    with pytest.raises(UserError, match="does not work in the norm l2") as error:
        resolve(text, norm="l2")
    assert error.value.hint == "It works in linf."


def test_a_loss_may_need_more_classes() -> None:
    with pytest.raises(UserError, match="'apgd-dlr' needs at least 3 classes; here there are 2") as error:
        resolve("apgd-dlr", classes=2)
    assert error.value.hint == "Use another loss: ce."
    assert resolve("apgd-dlr", classes=3)
    assert resolve("apgd", classes=2)
    assert resolve("autoattack", classes=2)


@pytest.mark.parametrize(
    ("text", "module", "package"),
    [
        ("pgd@foolbox", "foolbox", "foolbox"),
        ("autoattack@pyautoattack", "pyautoattack", "pyautoattack"),
        ("autoattack@torchattacks", "torchattacks", "torchattacks"),
        ("hopskipjump", "art", "adversarial-robustness-toolbox"),
    ],
)
def test_says_which_library_is_missing(text, module, package, monkeypatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == module else there(name, *rest)
    )
    with pytest.raises(UserError, match=f"needs {module}, which is not installed") as error:
        resolve(text)
    assert f"pip install {package}" in error.value.hint
    assert resolve("pgd100")
    assert not is_installed(next(attack for _, attack in attacks.items() if attack.requires == module))


def test_an_extra_that_is_not_there_gives_way(monkeypatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "pyautoattack" else there(name, *rest),
    )
    assert resolve("autoattack").label == "autoattack@torchattacks"


def test_every_attack_is_described() -> None:
    for name, attack_class in attacks.items():
        assert attack_class.__doc__
        assert attack_class.paper
        assert set(attack_class.norms) <= {"linf", "l2"}
        assert name == attack_class.algorithm + (
            "" if attack_class.backend == "native" else f"@{attack_class.backend}"
        )
