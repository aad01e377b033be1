import pytest

from robbench.analysis.verdicts import number_text, p_number, p_text, signed


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (None, "points", ""),
        (4.0, "points", "+4.0 points"),
        (-3.26, "points", "−3.3 points"),
        (-0.04, "points", "0.0 points"),
        (12.34, "%", "12.3 %"),
        (0.0, "%", "0.0 %"),
    ],
)
def test_what_a_check_measured_in_words(number, unit, text) -> None:
    assert number_text(number, unit) == text


def test_a_difference_has_a_sign_unless_it_rounds_to_zero() -> None:
    assert [signed(points) for points in (0.04, -0.04, 0.06, -12.0)] == ["0.0", "0.0", "+0.1", "−12.0"]


def test_p_values_alone_and_in_a_column() -> None:
    assert [p_text(p) for p in (0.0004, 0.0132)] == ["p < 0.001", "p = 0.013"]
    assert p_text(0.0132, tests=2) == "p ≤ 0.013"
    # What decides is not rounded across the level.
    assert [p_text(p) for p in (0.0499, 0.049999, 0.05, 0.0501)] == [
        "p = 0.0499",
        "p = 0.049999",
        "p = 0.05",
        "p = 0.05",
    ]
    assert [p_number(p) for p in (0.0004, 0.0132)] == ["< 0.001", "0.013"]
