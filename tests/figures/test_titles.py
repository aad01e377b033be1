import pandas as pd
import pytest

from robbench.figures.curve_panel import panels_of
from robbench.figures.titles import (
    attack_title,
    dataset_title,
    defense_title,
    defense_titles,
    norm_title,
    printable,
)
from tests.figures.made_up import made_up_curves


@pytest.mark.parametrize(
    ("label", "loss", "backend", "name", "details", "plain"),
    [
        ("pgd100", "ce", "native", "PGD", ("100 steps", "cross-entropy"), "PGD"),
        ("pgd100-cw@foolbox", "cw", "foolbox", "PGD", ("100 steps", "CW∞ loss", "by foolbox"), "PGD"),
        ("bpda100", "ce", "native", "BPDA", ("100 steps", "cross-entropy"), "PGD"),
        ("bpda40-substitute-cw", "cw", "native", "BPDA, layer left out", ("40 steps", "CW∞ loss"), "PGD"),
        ("bpda40-smooth", "ce", "native", "BPDA, layer smoothed", ("40 steps", "cross-entropy"), "PGD"),
        ("apgd100-bpda-dlr@torchattacks", "dlr", "torchattacks", "APGD with BPDA", None, "APGD"),
        ("fgsm", "ce", "native", "FGSM", ("cross-entropy",), "FGSM"),
        ("fgsm1", "ce", "native", "FGSM", ("cross-entropy",), "FGSM"),
        ("pgd1", "ce", "native", "PGD", ("1 step", "cross-entropy"), "PGD"),
        ("square@torchattacks", "", "torchattacks", "Square", ("by torchattacks",), "Square"),
        ("autoattack", "", "native", "AutoAttack", (), "AutoAttack"),
        ("hopskipjump@art", "", "art", "HopSkipJump", ("by ART",), "HopSkipJump"),
        ("pgd20:restarts=5", "ce", "native", "PGD", ("20 steps", "cross-entropy", "restarts 5"), "PGD"),
        ("transfer:source=natural", "ce", "native", "Transfer", ("cross-entropy", "source natural"), None),
        ("mine7", "", "native", "mine", ("7 steps",), "mine"),
        ("Not a <label>", "", "", "Not a <label>", (), "Not a <label>"),
    ],
)
def test_attacks_in_words(label, loss, backend, name, details, plain) -> None:
    title = attack_title(label, loss, backend)
    assert title.name == name
    assert title.details == details or details is None
    assert title.plain == plain or plain is None


def test_other_names_in_words() -> None:
    assert (dataset_title("cifar10"), dataset_title("custom")) == ("CIFAR-10", "custom")
    assert (defense_title("pgd-at"), defense_title("mine.build")) == ("PGD-AT", "mine.build")
    assert (norm_title("linf"), norm_title("l1")) == ("L∞", "l1")


def test_names_become_one_line_of_visible_characters() -> None:
    assert printable("two\nlines\x00\u202e") == "two lines"
    assert printable("\n") == "(no name)"
    long = printable("a" * 500 + "z" * 500)
    assert len(long) <= 44
    assert (long[0], long[-1]) == ("a", "z")


def test_long_names_that_differ_in_the_middle_have_titles_that_differ() -> None:
    noise, mixup = (
        f"variants.quantized_network_with_{x}_trained_on_clean_images" for x in ("noise", "mixup")
    )
    titles = defense_titles(pd.DataFrame({"defense": [noise, mixup, "nsq"]}))
    assert titles == {
        noise: "…etwork_with_noise_trained_on_clean_images",
        mixup: "…etwork_with_mixup_trained_on_clean_images",
        "nsq": "NSQ",
    }


def test_titles_that_cannot_be_told_apart_are_numbered() -> None:
    names = ["two\nlines", "two lines", "nsq", "NSQ"]
    titles = defense_titles(pd.DataFrame({"defense": names}))
    assert list(titles.values()) == ["two lines #1", "two lines #2", "NSQ #1", "NSQ #2"]
    long = [f"{'a' * 100}{middle}{'z' * 100}{end}" for middle in "bc" for end in "de"]
    assert len(set(defense_titles(pd.DataFrame({"defense": long})).values())) == 4


def test_a_panel_of_a_few_has_the_titles_of_all() -> None:
    long = [f"{'a' * 60}{middle}{'z' * 60}" for middle in "bc"]
    curves = made_up_curves(long, ["pgd100"])
    (panel,) = panels_of(curves)
    for name in long:
        assert defense_titles(panel.query("defense == @name"))[name] == defense_titles(curves)[name]


def test_a_defense_is_titled_as_its_run_prints_it() -> None:
    names = ["fgsm-at", "nsq", "mine.py:build"]
    titles = ["FGSM-AT (collapsed)", "nsq", "mine\n.py:build"]
    curves = pd.DataFrame({"defense": names, "title": titles})
    assert defense_titles(curves) == dict(
        zip(names, ["FGSM-AT (collapsed)", "NSQ", "mine .py:build"], strict=True)
    )
    assert defense_titles(curves.drop(columns="title")) == {
        "fgsm-at": "fgsm-at",
        "nsq": "NSQ",
        "mine.py:build": "mine.py:build",
    }
