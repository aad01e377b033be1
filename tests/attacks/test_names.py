"""The grammar of attack names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbench.attacks import AttackName, parse_attack
from robbench.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fgsm", AttackName("fgsm", "fgsm")),
        (" PGD100 ", AttackName("pgd100", "pgd", 100)),
        ("pgd20-cw", AttackName("pgd20-cw", "pgd", 20, ("cw",))),
        ("pgd40@foolbox", AttackName("pgd40@foolbox", "pgd", 40, (), "foolbox")),
        ("pgd100:restarts=5", AttackName("pgd100:restarts=5", "pgd", 100, options=(("restarts", "5"),))),
        ("cwinf", AttackName("cwinf", "pgd", words=("cw",))),
        ("cwinf50@art", AttackName("cwinf50@art", "pgd", 50, ("cw",), "art")),
        ("bpda", AttackName("bpda", "pgd", words=("bpda",))),
        ("bpda100-cw", AttackName("bpda100-cw", "pgd", 100, ("bpda", "cw"))),
        ("bpda-substitute", AttackName("bpda-substitute", "pgd", words=("bpda", "substitute"))),
        (
            "pgd5-cw-smooth@art: restarts = 2 :random_start=false",
            AttackName(
                "pgd5-cw-smooth@art: restarts = 2 :random_start=false",
                "pgd",
                5,
                ("cw", "smooth"),
                "art",
                (("restarts", "2"), ("random_start", "false")),
            ),
        ),
        (
            "transfer:source=natural",
            AttackName("transfer:source=natural", "transfer", options=(("source", "natural"),)),
        ),
        (
            "Transfer5:Source=Sub/Mine.py:Build:Restarts=TRUE",
            AttackName(
                "transfer5:Source=Sub/Mine.py:Build:Restarts=TRUE",
                "transfer",
                5,
                options=(("source", "Sub/Mine.py:Build"), ("restarts", "true")),
            ),
        ),
    ],
)
def test_takes_names_apart(text, expected) -> None:
    assert parse_attack(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not an attack name"),
        ("100pgd", "is not an attack name"),
        ("pgd 100", "is not an attack name"),
        ("pgd-", "is not an attack name"),
        ("pgd100x", "is not an attack name"),
        ("../pgd", "is not an attack name"),
        ("pgd" + "9" * 5000, "is not an attack name"),
        ("pgd²", "is not an attack name"),
        ("pgd0", "asks for 0 steps"),
        ("pgd@", "no backend called ''"),
        ("pgd@foolbax", "no backend called 'foolbax'"),
        ("pgd:restarts", "is no option"),
        ("pgd:=5", "is no option"),
        ("pgd:restarts=", "is no option"),
        ("pgd:", "is no option"),
        ("pgd:restarts=5:restarts=6", "gives the option 'restarts' twice"),
    ],
)
def test_refuses_what_the_grammar_does_not_know(text, message) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        parse_attack(text)


@given(st.text())
def test_any_text_is_a_name_or_the_users_mistake(text) -> None:
    try:
        name = parse_attack(text)
    except UserError:
        return
    assert name.text.lower() == text.strip().lower()
    assert name.steps is None or name.steps > 0
