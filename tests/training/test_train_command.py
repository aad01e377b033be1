import json
from dataclasses import replace

import pytest

from robbench.defenses.loading import load_defense
from robbench.errors import UserError
from robbench.files import write_json
from robbench.models import card_path, find_model, weights_path
from robbench.training import train
from robbench.training_requests import parse_seeds
from tests.training.small import INFO, request


def test_several_defenses_under_one_budget_share_data_and_plan(tmp_path, shell):
    typed = shell(
        *("train", "--defense", "natural,fast-at,free-at", "--budget", "epochs=0.5", "--models-dir", tmp_path)
    )
    assert typed.code == 0, typed.err
    cards = [find_model("digits", name, tmp_path).card for name in ("natural", "fast-at", "free-at")]
    assert cards[0].plan == cards[1].plan == cards[2].plan
    # fast-at is watched by itself, and so all are: what one may not train on, none may.
    assert cards[0].plan["held_out"] == 143
    assert cards[0].plan["iterations"] == 6
    assert all(card.watch is not None and card.peak_memory > 0 for card in cards)
    for word in ("fast-at", "no collapse", "seconds", "forward", "backward", "MiB"):
        assert word in typed.out


def test_the_command_on_the_card_trains_the_same_alone(tmp_path, shell):
    shell("train", "--defense", "natural,fast-at", "--budget", "epochs=0.5", "--models-dir", tmp_path / "a")
    for name, watch in (("natural", " --watch"), ("fast-at", "")):
        card = find_model("digits", name, tmp_path / "a").card
        assert card.command == f"robbench train --defense {name} --dataset digits --budget epochs=0.5{watch}"
        typed = shell(*card.command.split()[1:], "--models-dir", tmp_path / "b")
        assert typed.code == 0, typed.err
        assert find_model("digits", name, tmp_path / "b").card.sha256 == card.sha256


def test_several_seeds_have_a_folder_each_that_a_run_finds(tmp_path, shell):
    typed = shell(
        *("train", "--defense", "natural", "--set", "iterations=3", "--seed", "0,4", "--models-dir", tmp_path)
    )
    assert typed.code == 0, typed.err
    cards = [find_model("digits", "natural", tmp_path / f"seed-{seed}").card for seed in (0, 4)]
    assert [card.seed for card in cards] == [0, 4]
    assert cards[0].sha256 != cards[1].sha256
    assert "--seed 4" in cards[1].command
    run = shell(
        *("run", "--defense", "natural", "--attacks", "fgsm", "--samples", 10, "--eps-grid", "0,0.1"),
        *("--models-dir", tmp_path / "seed-4", "--out", tmp_path / "run"),
    )
    assert run.code == 0, run.err
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["defenses"]["natural"]["weights_sha256"] == cards[1].sha256


@pytest.mark.parametrize("text", ["", "one", "0;1", "1.5", "0,,1"])
def test_what_is_no_seed(text):
    with pytest.raises(UserError, match="is no seed"):
        parse_seeds(text)


def test_seeds_are_taken_once_each():
    assert parse_seeds("3, 1,3") == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--budget", ""), "is no budget"),
        (("--budget", "epochs=0"), "more than 0 epochs"),
        (("--budget", "seconds=0"), "more than 0 seconds"),
        (("--budget", "epochs=0.001"), "less than one of the"),
        (("--budget", "epochs=3", "--set", "iterations=5"), "and so does iterations=5"),
        (("--set", "epsilon=0"), "epsilon lies above 0"),
        (("--set", "epsilon=1.5"), "epsilon lies above 0 and at most at 1"),
        (("--set", "epsilom=0.1"), "Did you mean epsilon"),
        (("--set", "averaging=1"), "averaging lies at 0 or above"),
        (("--set", "label_smoothing=2"), "label_smoothing lies at 0 or above"),
        (("--no-watch", "--stop-on-collapse"), "nobody watches"),
        (("--seed", "x"), "is no seed"),
        (("--seed", f"0,{10**30}"), "A seed is a whole number from 0 to"),
        (("--start", "pdg-at"), "Did you mean pgd-at"),
        (("--network", "inception_v3"), "these are 1 × 8 × 8"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained(tmp_path, shell, arguments, message):
    typed = shell("train", "--defense", "fast-at", *arguments, "--models-dir", tmp_path / "models")
    assert typed.code == 2
    assert message in typed.err
    assert "Traceback" not in typed.err
    assert not (tmp_path / "models").exists()


def test_a_place_for_models_that_cannot_be_written_names_the_option_for_it(tmp_path, shell):
    (tmp_path / "file").touch()
    typed = shell("train", "--defense", "fast-at", "--models-dir", tmp_path / "file" / "models")
    assert typed.code == 2
    assert "cannot be written" in typed.err
    assert "models with --models-dir" in typed.err


def test_a_defense_from_outside_is_told_where_it_is_trained(tmp_path, shell):
    typed = shell("train", "--defense", "natural,mine.py:build", "--models-dir", tmp_path / "models")
    assert typed.code == 2
    assert "'mine.py:build' is a defense from outside" in typed.err
    assert "new-defense --kind network" in typed.err


@pytest.mark.parametrize("defense", ["nsq", "stability", "nsq-fgsm"])
def test_noise_larger_than_the_box_is_refused(tmp_path, shell, defense):
    typed = shell("train", "--defense", defense, "--set", "noise=1.5", "--models-dir", tmp_path / "models")
    assert typed.code == 2
    assert "between 0 and 1" in typed.err


def test_a_bad_second_defense_is_said_before_the_first_is_trained(tmp_path, shell):
    typed = shell("train", "--defense", "natural,nqs", "--budget", "epochs=1", "--models-dir", tmp_path / "m")
    assert typed.code == 2
    assert "Did you mean nsq" in typed.err
    assert not (tmp_path / "m").exists()


def test_a_collapsed_model_is_marked_where_it_is_listed_and_loaded(tmp_path, shell):
    train(request(tmp_path, "fast-at", plan={"iterations": 10, "held_out": 2}))
    path = card_path(weights_path(tmp_path, "digits", "fast-at"))
    card = json.loads(path.read_text())
    first, *_, last = card["watch"]["looks"]
    last["pgd"], last["epoch"], first["pgd"] = 0.0, 7.0, 0.5
    write_json(
        path,
        {**card, "watch": {**card["watch"], "collapse": {"best": first, "found": last, "recovered": False}}},
    )
    assert "collapsed at epoch 7" in shell("list", "models", "--models-dir", tmp_path).out
    assert load_defense("fast-at", INFO, 10, (1, 8, 8), tmp_path).title == "FAST-AT (collapsed)"


def test_a_card_with_a_damaged_watch_is_named(tmp_path):
    train(request(tmp_path, "fast-at", plan={"iterations": 5}))
    path = card_path(weights_path(tmp_path, "digits", "fast-at"))
    card = json.loads(path.read_text())
    for watch in ({"looks": 3}, {**card["watch"], "looks": [{}]}, [1], {"collapse": None}):
        write_json(path, {**card, "watch": watch})
        with pytest.raises(UserError, match="cannot be read"):
            find_model("digits", "fast-at", tmp_path)


def test_cards_from_before_a_field_was_there_are_those_of_its_default(tmp_path):
    asked = request(tmp_path)
    train(asked)
    path = card_path(weights_path(tmp_path, "digits", "natural"))
    card = json.loads(path.read_text())
    for new in ("averaging", "label_smoothing", "held_out", "stop_on_collapse"):
        del card["plan"][new]
    for new in ("budget", "peak_memory", "memory_measure", "watch"):
        del card[new]
    write_json(path, card)
    assert train(asked).watch is None
    with pytest.raises(UserError, match=r"averaging is 0\.0 there and 0\.9 here"):
        train(replace(asked, plan={"averaging": 0.9}))
