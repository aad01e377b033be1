import matplotlib as mpl
from hypothesis import given
from hypothesis import strategies as st

from robbench.figures.house_style import curve_styles, house_style

BASELINES = ["natural", "pgd-at", "sq", "nsq"]


def test_a_defense_looks_the_same_beside_any_baselines() -> None:
    alone = curve_styles(["mine.build"])["mine.build"]
    beside = curve_styles([*BASELINES, "mine.build"])
    assert beside["mine.build"] == alone
    assert curve_styles(["nsq"])["nsq"] == beside["nsq"] == curve_styles(["x", "y", "nsq"])["nsq"]
    assert list(beside) == [*BASELINES, "mine.build"]


@given(st.lists(st.text(), unique=True, max_size=7))
def test_seven_defenses_have_seven_colors_where_the_baselines_are_among_them(names: list[str]) -> None:
    names = [*BASELINES, *(set(names) - set(BASELINES))][:7]
    assert len({style.color for style in curve_styles(names).values()}) == len(names)


@given(st.lists(st.text(), unique=True, max_size=30))
def test_thirty_defenses_differ_in_color_or_line(names: list[str]) -> None:
    styles = curve_styles(names).values()
    assert len({(style.color, str(style.line)) for style in styles}) == len(names)


def test_the_callers_settings_are_restored() -> None:
    mpl.rcParams["font.size"] = 17
    try:
        with house_style():
            assert mpl.rcParams["font.size"] != 17
        assert mpl.rcParams["font.size"] == 17
    finally:
        mpl.rcdefaults()
