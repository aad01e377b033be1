"""The radii at which a comparison is shown: those asked for, by default the ends and the middle."""

import pytest

from robbench.comparing.radii import choose_radii
from robbench.epsilon import natural_unit
from robbench.errors import UserError

GRIDS = {"fine": (0.0, 0.05, 0.1, 0.15, 0.2), "coarse": (0.0, 0.1, 0.2)}
UNIT = natural_unit([0.1])


def test_by_default_the_ends_and_the_middle_of_each_grid():
    chosen, lacking = choose_radii("", {**GRIDS, "single": (0.0,)}, UNIT, "digits")
    assert chosen == {"fine": (0.0, 0.1, 0.2), "coarse": (0.0, 0.1, 0.2), "single": (0.0,)}
    assert not lacking


def test_who_lacks_a_radius_is_said():
    chosen, lacking = choose_radii("0.2,0.05", GRIDS, UNIT, "digits")
    assert chosen == {"fine": (0.05, 0.2), "coarse": (0.2,)}
    assert lacking == {"coarse": ["coarse is not shown at ε = 0.05: it is compared at 0, 0.1, 0.2."]}


def test_a_radius_of_no_grid_is_refused_with_the_grid_and_what_else_to_do():
    with pytest.raises(UserError) as caught:
        choose_radii("0.1,0.3", GRIDS, UNIT, "digits", "Or leave it out.")
    assert caught.value.message == "ε = 0.3 is not in the grid of digits."
    assert caught.value.hint == "The grid is 0, 0.05, 0.1, 0.15, 0.2. Or leave it out."


@pytest.mark.parametrize(("typed", "said"), [(" , ", "has no radius"), ("a lot", "a lot")])
def test_what_is_no_radius_is_refused_and_nothing_else_is_offered(typed, said):
    with pytest.raises(UserError, match=said) as caught:
        choose_radii(typed, GRIDS, UNIT, "digits", "Or leave it out.")
    assert "leave it out" not in caught.value.hint
