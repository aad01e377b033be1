"""One name, several backends: members, twins without a random start, variants, and what is refused."""

import importlib.util

import foolbox
import pytest

from robbench.agreeing.families import (
    NUDGED,
    RESTARTS,
    SHORT_STEP,
    Family,
    Setting,
    check_backends,
    make_family,
)
from robbench.attacks.names import BACKENDS
from robbench.datasets import datasets
from robbench.errors import UserError

SETTING = Setting(datasets.get("digits"), "linf", 10)


def family(text: str, backends: tuple[str, ...] = BACKENDS, setting: Setting = SETTING) -> Family:
    return make_family(text, backends, setting)


def labels(attacks: object) -> dict[str, str]:
    return {key: attack.label for key, attack in attacks.items()}  # pyright: ignore[reportAttributeAccessIssue]


def test_pgd_runs_everywhere_and_can_start_at_the_image() -> None:
    pgd = family("PGD20:restarts=2")
    assert pgd.name == "pgd20:restarts=2"
    assert pgd.reference == "native"
    assert labels(pgd.members) == {
        "native": "pgd20:restarts=2",
        "torchattacks": "pgd20@torchattacks:restarts=2",
        "foolbox": "pgd20@foolbox:restarts=2",
        "art": "pgd20@art:restarts=2",
    }
    assert labels(pgd.without_start)["art"] == "pgd20@art:restarts=2:random_start=false"
    assert labels(pgd.variants) == {
        RESTARTS: "pgd20:restarts=6",
        SHORT_STEP: "pgd20:restarts=2:relative_step=0.03333333333333333",
        NUDGED: "pgd20:restarts=2:relative_step=0.12500125:random_start=false",
    }
    assert pgd.left_out == {}


def test_who_cannot_is_left_out_with_the_reason() -> None:
    fgsm = family("fgsm")
    assert list(fgsm.members) == ["native", "torchattacks", "foolbox"]
    assert fgsm.left_out == {"art": "'fgsm' does not run on the backend 'art'."}
    assert not fgsm.without_start
    assert not fgsm.variants
    cw = family("bpda9-cw")
    assert cw.name == "bpda9-cw"
    assert list(cw.members) == ["native", "foolbox", "art"]
    square = family("square:queries=50")
    assert square.name == "square:queries=50"
    assert square.reference == "torchattacks"
    assert list(square.variants) == [RESTARTS]
    l2 = family("pgd5", setting=Setting(datasets.get("digits"), "l2", 10))
    assert list(l2.members) == ["native", "foolbox", "art"]
    # foolbox's own default, which is another in l2.
    step = foolbox.attacks.L2PGD().rel_stepsize
    assert labels(l2.variants)[SHORT_STEP] == f"pgd5:relative_step={step}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pgd20@foolbox", "Leave @foolbox out"),
        ("fmn", "Only foolbox can run 'fmn'"),
        ("pdg20", "Did you mean"),
        ("pgd 20", "is not an attack name"),
        ("pgd20:restart=2", "Did you mean restarts"),
    ],
)
def test_what_cannot_be_compared(text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        family(text)
    assert words in str(refused.value)


def test_backends() -> None:
    assert check_backends(()) == BACKENDS
    assert check_backends(("art", "native", "art")) == ("native", "art")
    with pytest.raises(UserError, match="nothing that art alone could agree with"):
        check_backends(("art", "art"))
    with pytest.raises(UserError, match="Did you mean foolbox"):
        check_backends(("native", "folbox"))
    with pytest.raises(UserError, match="Only native can run 'fgsm'"):
        family("fgsm", ("native", "art"))


def test_a_missing_library_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "art" else there(name)
    )
    pgd = family("pgd20")
    assert list(pgd.members) == ["native", "torchattacks", "foolbox"]
    assert "needs art, which is not installed" in pgd.left_out["art"]
