import pandas as pd
import pytest

from robbench.figures.titles import (
    attack_title,
    dataset_title,
    defense_title,
    defense_titles,
    norm_title,
    printable,
)


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
