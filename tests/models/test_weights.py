import json
import pickle
from itertools import pairwise

import pytest
import torch
from safetensors.torch import save_file

from robbench.errors import UserError
from robbench.models import card_path, find_model, read_card
from robbench.models.weights import halve, read_weights, save_model
from tests.commands import start
from tests.models.stored import make_card, store_sq


def test_a_saved_model_comes_back(tmp_path):
    state = {"a": torch.randn(3, 4), "steps": torch.tensor(7), "b": torch.randn(2, 3, 5, 5)}
    state["b"] = state["b"].to(memory_format=torch.channels_last)
    stored = save_model(tmp_path, make_card(), state)
    found = find_model("digits", "sq", tmp_path)
    assert found == stored
    assert len(found.card.sha256) == 64
    tensors = read_weights(found)
    assert all(torch.equal(tensors[key], state[key]) for key in state)
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == ["sq.json", "sq.safetensors"]


def test_halving_rounds_to_float16_and_widening_keeps_that():
    state = {"a": torch.tensor([1.0, 1 / 3]), "big": torch.tensor([1e5, 1.0]), "n": torch.tensor(3)}
    halved = halve(state)
    assert [halved[key].dtype for key in state] == [torch.float16, torch.float32, torch.int64]
    assert halved["a"].float().tolist() == [1.0, pytest.approx(1 / 3, rel=2**-11)]
    assert halved["big"].tolist() == [1e5, 1.0]


def test_stored_halves_are_widened(tmp_path):
    tensors = read_weights(store_sq(tmp_path))
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


def test_one_changed_byte_is_noticed(tmp_path):
    stored = store_sq(tmp_path)
    content = bytearray(stored.weights.read_bytes())
    content[-5] ^= 1
    stored.weights.write_bytes(content)
    with pytest.raises(UserError, match=r"sq.safetensors is not the file that its card describes"):
        read_weights(stored)


def test_a_truncated_file_is_noticed(tmp_path):
    stored = store_sq(tmp_path)
    stored.weights.write_bytes(stored.weights.read_bytes()[:100])
    with pytest.raises(UserError, match="not the file that its card describes"):
        read_weights(stored)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_never_loaded(tmp_path, zipped):
    stored = store_sq(tmp_path)
    torch.save({"a": torch.zeros(2)}, stored.weights, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match="is a pickled checkpoint, which could run code"):
        read_weights(stored)
    stored.weights.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UserError, match="pickled"):
        read_weights(stored)


def test_a_header_whose_length_looks_like_a_pickle_is_no_pickle(tmp_path):
    # Some lengths of a safetensors header begin with the byte 0x80, as pickles do.
    for length in range(40, 400):
        path = tmp_path / "probe.safetensors"
        save_file({"a" * length: torch.zeros(1)}, path)
        if path.read_bytes()[:1] == b"\x80":
            break
    else:
        pytest.fail("no header of that length was made")
    state = {"a" * length: torch.zeros(1)}
    assert read_weights(save_model(tmp_path, make_card(), state)).keys() == state.keys()


def test_another_format_is_refused_even_with_its_sum_on_the_card(tmp_path):
    import hashlib

    stored = store_sq(tmp_path)
    stored.weights.write_bytes(b"<!DOCTYPE html><title>404</title>")
    card = json.loads(card_path(stored.weights).read_text())
    card["sha256"] = hashlib.sha256(stored.weights.read_bytes()).hexdigest()
    card_path(stored.weights).write_text(json.dumps(card))
    with pytest.raises(UserError, match="is no safetensors file"):
        read_weights(read_card(stored.weights))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"defense": "sq"}', "\x00", '{"surplus": 1}'], ids=repr
)
def test_an_unreadable_card_is_named(tmp_path, text):
    stored = store_sq(tmp_path)
    card_path(stored.weights).write_text(text)
    with pytest.raises(UserError, match=r"sq.json cannot be read"):
        read_card(stored.weights)


DAMAGES = {
    "plan": None, "options": "abc", "budget": None, "sha256": None, "seconds": None, "clean_accuracy": "abc",
    "versions": {"torch": 2}, "seed": "0", "watch": 0,
}  # fmt: skip


def test_a_card_of_other_types_is_named_by_every_command(tmp_path):
    """In a process of its own, where nothing else checks types: this one's test run does."""
    for position, (name, value) in enumerate(DAMAGES.items()):
        path = card_path(store_sq(tmp_path, defense=f"d{position}").weights)
        path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    for depth, name in ((100_000, "deep"), (3, "shallow")):
        card_path(store_sq(tmp_path, defense=name).weights).write_text("[" * depth)
    out, err = start("list", "models", "--models-dir", tmp_path).communicate(timeout=120)
    assert "Traceback" not in err
    assert out.count("damaged") == len(DAMAGES) + 2
    # Cells of the table are broken between words.
    words = " ".join(line.split("│")[-3] for line in out.splitlines() if line.count("│") > 3).split()
    named = {word for word, following in pairwise(words) if following == "is"}
    assert named >= DAMAGES.keys() - {"watch"}


@pytest.mark.parametrize(
    "changes",
    [{"options": {"alpha": None}}, {"options": {"alpha": [1]}}, {"plan": {}}, {"plan": {"iterations": "2"}},
     {"plan": {"iterations": 2, "batch_size": 4, "held_out": None}}],
    ids=repr,
)  # fmt: skip
def test_options_and_a_plan_that_no_recipe_has_are_named(tmp_path, changes):
    stored = store_sq(tmp_path, **changes)
    with pytest.raises(UserError, match=r"sq.json cannot be read: \w+ (of its plan )?is"):
        read_card(stored.weights)


def test_the_card_of_another_model_is_noticed(tmp_path):
    stored = store_sq(tmp_path)
    stored.weights.rename(stored.weights.with_name("nsq.safetensors"))
    card_path(stored.weights).rename(tmp_path / "digits" / "nsq.json")
    with pytest.raises(UserError, match=r"nsq.json is that of sq on digits"):
        find_model("digits", "nsq", tmp_path)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "models").write_text("a file, not a folder")
    with pytest.raises(UserError, match="cannot be written"):
        store_sq(tmp_path / "models")
