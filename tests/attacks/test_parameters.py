"""Values of options, as typed after an attack's name."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from robbench.attacks import Attack, parse_attack
from robbench.attacks.gradient import PGD
from robbench.attacks.parameters import attack_options, read_parameters, takes_steps
from robbench.datasets import datasets
from robbench.errors import UserError


@dataclass(frozen=True)
class _Choosy(PGD):
    init: Literal["near", "far"] = "near"


def read(attack_class: type[Attack], text: str) -> dict[str, Any]:
    name = parse_attack(text)
    return read_parameters(name, attack_class, dict(name.options), datasets.get("digits"))


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("pgd", {"steps": datasets.get("digits").attack_steps}),
        ("pgd7:restarts=3", {"steps": 7, "restarts": 3}),
        ("pgd7:relative_step=2.5/100", {"steps": 7, "relative_step": 0.025}),
        ("pgd7:random_start=no:init=far", {"steps": 7, "random_start": False, "init": "far"}),
    ],
)
def test_reads_each_option_by_its_annotation(text, read_as) -> None:
    assert read(_Choosy, text) == read_as


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("restarts=0", "pgd:restarts=0 is not a whole number from 1 to 999,999,999"),
        ("restarts=99999999999999999999", "is not a whole number from 1 to 999,999,999"),
        ("restarts=1.5", "is not a whole number"),
        ("restarts=" + "9" * 5000, "is not a whole number"),
        ("random_start=maybe", "is not true or false"),
        ("relative_step=0", "is not a number above 0"),
        ("relative_step=-1", "is not a number above 0"),
        ("relative_step=nan", "is not a number above 0"),
        ("relative_step=1/0", "is not a number above 0"),
        ("relative_step=1/inf", "is not a number above 0"),
        ("relative_step=1/2/3", "is not a number above 0"),
        ("init=for", "There is no value of pgd:init called 'for'"),
    ],
)
def test_refuses_what_is_no_value(option, message) -> None:
    with pytest.raises(UserError) as error:
        read(_Choosy, f"pgd:{option}")
    assert message in error.value.message


def test_steps_and_loss_are_no_options() -> None:
    assert attack_options(_Choosy).keys() >= {"restarts", "relative_step", "random_start", "init"}
    assert not attack_options(_Choosy).keys() & {"steps", "loss"}
    assert takes_steps(_Choosy)
