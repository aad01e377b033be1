import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbench.errors import UserError
from robbench.spec import CANONICAL, SweepSpec, make_spec, read_spec, split_names

CANON = (0.0, 0.1, 0.2)


def test_commas_and_repetitions_are_one_list_of_distinct_names():
    assert split_names(("natural,nsq", " sq ,natural", ",")) == ("natural", "nsq", "sq")


@pytest.mark.parametrize("missing", ["defenses", "attacks"])
def test_a_sweep_needs_defenses_and_attacks(missing):
    values = {"defenses": ("nsq",), "attacks": ("pgd20",)}
    del values[missing]
    with pytest.raises(UserError, match=missing[:-1]):
        make_spec(values)


@pytest.mark.parametrize(
    ("text", "grid"),
    [("", (0.0, 0.3)), (CANONICAL, CANON), ("0.2,0.1", (0.0, 0.1, 0.2)), ("0:0.2:3", (0.0, 0.1, 0.2))],
)
def test_grids(text, grid):
    assert SweepSpec(("nsq",), ("pgd20",), eps_grid=text).epsilons(CANON, 0.3) == grid


def test_the_canonical_grid_is_for_linf_only():
    with pytest.raises(UserError, match="l2"):
        SweepSpec(("nsq",), ("pgd20",), norm="l2", eps_grid=CANONICAL).epsilons(CANON, 0.3)


@given(
    st.builds(
        SweepSpec,
        defenses=st.lists(st.sampled_from(["natural", "mine.py:build", "ünï"]), min_size=1).map(tuple),
        attacks=st.lists(st.sampled_from(["pgd20", "pgd20-cw@foolbox:restarts=5"]), min_size=1).map(tuple),
        eps_grid=st.sampled_from(["", "canonical", "0,8/255", "0:0.3:13"]),
        samples=st.none() | st.integers(1, 1000),
        seed=st.integers(0, 2**31),
    )
)
def test_survives_a_round_trip_through_toml(tmp_path_factory, spec):
    path = tmp_path_factory.mktemp("spec") / "sweep.toml"
    path.write_text(spec.to_toml(), encoding="utf-8")
    read = read_spec(path, {})
    assert read.eps_grid == spec.eps_grid
    assert set(read.defenses) == set(spec.defenses)
    assert (read.samples, read.seed) == (spec.samples, spec.seed)


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text('defenses = "nsq"\nattacks = "pgd20"\n', encoding="utf-8-sig")
    assert read_spec(path, {}).defenses == ("nsq",)


def test_what_is_typed_wins_over_the_file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text('defenses = "nsq,sq"\nattacks = ["pgd20"]\nsamples = 5\neps_grid = [0, "8/255"]\n')
    spec = read_spec(path, {"samples": 7})
    assert spec.defenses == ("nsq", "sq")
    assert spec.samples == 7
    assert spec.epsilons(CANON, 0.3) == (0.0, 8 / 255)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("defenses = [", "not TOML"),
        ("defence = ['nsq']", "'defence'"),
        ("defenses = 3", "list of names"),
        ("samples = 'ten'", "whole number"),
        ("samples = true", "whole number"),
        ("norm = 2", "text"),
        ("eps_grid = {}", "radii"),
        ("eps_grid = []", "radii"),
        ("eps_grid = false", "radii"),
        ("eps_grid = [0, true]", r"radii, not \[0, True\]"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path, text, message):
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_spec(path, {})


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.toml cannot be read: No such file or directory\.") as refusal:
        read_spec(tmp_path / "none.toml", {})
    assert refusal.value.hint


def test_text_in_another_encoding(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_bytes("defenses = 'nsq'".encode("utf-16"))
    with pytest.raises(UserError, match="not TOML") as refusal:
        read_spec(path, {})
    assert "UTF-8" in refusal.value.hint
