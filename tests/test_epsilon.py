import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbench.epsilon import (
    EpsilonUnit,
    check_image_radii,
    check_pixel_radii,
    parse_epsilon,
    parse_grid,
    tidy_grid,
    typed_grid,
)
from robbench.errors import UserError
from robbench.spec import SweepSpec


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.3", 0.3),
        ("8/255", 8 / 255),
        (" 1 / 4 ", 0.25),
        ("0", 0.0),
        ("1", 1.0),
        ("1e-2", 0.01),
        ("0e-999999999", 0.0),
    ],
)
def test_reads_numbers_and_fractions(text, value):
    assert parse_epsilon(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1/0", "nan", "inf", "-inf", "1/nan", "0.3.1", "8/", "/255", "½", "1e-999999999", "1/1e-999"],
)
def test_refuses_what_is_no_number(text):
    with pytest.raises(UserError, match="not a radius"):
        parse_epsilon(text)


@pytest.mark.parametrize("text", ["-0.1", "-8/255"])
def test_refuses_what_is_negative(text):
    with pytest.raises(UserError, match="negative"):
        parse_epsilon(text)


def test_only_a_single_pixel_is_bounded_by_one():
    spec = SweepSpec(("natural",), ("pgd",), eps_grid="0,1,2.5")
    assert dataclasses.replace(spec, norm="l2").epsilons((), 0.1) == (0.0, 1.0, 2.5)
    with pytest.raises(UserError, match="is above 1"):
        spec.epsilons((), 0.1)
    with pytest.raises(UserError, match="farther than images"):
        dataclasses.replace(spec, norm="l2", eps_grid="0,5,1e39").epsilons((), 0.1)


@pytest.mark.parametrize(("typed", "offered"), [("8", "8/255"), ("300", "8/255"), ("300/255", "8/255")])
def test_a_radius_above_one_is_answered_by_one_that_can_be(typed, offered):
    with pytest.raises(UserError, match="is above 1") as refusal:
        SweepSpec(("natural",), ("pgd",), eps_grid=typed).epsilons((), 0.1)
    assert f"such as {offered}." in refusal.value.hint


def test_a_range_has_exact_points_and_both_ends():
    assert parse_grid("0:0.3:13") == tuple(float(f"{0.025 * i:.3f}") for i in range(13))
    assert parse_grid("0:8/255:9") == tuple(i / 255 for i in range(9))


@pytest.mark.parametrize(
    "text", ["", ",", "0:1", "0:0.3:1", "0:0.3:x", "0:0.3:2.5", "0:0.3:100000", "0:0.3:13:1"]
)
def test_refuses_empty_and_malformed_grids(text):
    with pytest.raises(UserError):
        parse_grid(text)


@given(st.lists(st.fractions(0, 1, max_denominator=10_000), min_size=1, max_size=20))
def test_a_tidy_grid_is_sorted_distinct_and_starts_at_zero(points):
    grid = tidy_grid(parse_grid(",".join(map(str, points))))
    assert grid[0] == 0.0
    assert list(grid) == sorted(set(grid))
    assert set(grid) == {0.0, *map(float, points)}


@given(st.text(max_size=30))
def test_any_text_is_a_grid_or_the_users_mistake(text):
    try:
        grid = parse_grid(text)
    except UserError:
        return
    assert grid
    assert all(math.isfinite(point) and point >= 0 for point in grid)


@pytest.mark.parametrize("check", [check_pixel_radii, check_image_radii])
def test_refuses_radii_that_float32_cannot_tell_from_zero(check):
    check((0.0, 1e-5, 0.1))
    with pytest.raises(UserError, match="1e-07 is lost among what float32 rounds"):
        check((0.0, 1e-7, 0.1))


def test_prints_epsilon_in_the_units_of_the_dataset():
    assert EpsilonUnit(255).format(8 / 255) == "8/255"
    assert EpsilonUnit(255).format(0.0) == "0"
    assert EpsilonUnit(1).format(0.30000000000000004) == "0.3"
    assert EpsilonUnit(255).format(0.5 / 255) == "0.5/255"


@pytest.mark.parametrize(
    ("text", "denominator", "typed"),
    [
        ("0:0.3:13", 1, "0:0.3:13"),
        ("0,0.3", 1, "0,0.3"),
        ("0,0.1,0.25", 1, "0,0.1,0.25"),
        ("0:8/255:9", 255, "0:8/255:9"),
        ("0,1/255,4/255", 255, "0,1/255,4/255"),
        ("0", 1, "0.0"),
        ("0:0.1:4", 1, "0:0.1:4"),
        ("0,0.123456789", 1, "0.0,0.123456789"),
    ],
)
def test_a_grid_is_written_as_it_is_typed_and_read_again(text, denominator, typed):
    points = parse_grid(text)
    assert typed_grid(points, EpsilonUnit(denominator)) == typed
    assert parse_grid(typed) == points
