import pytest

from robbench.comparing.markdown import escape, markdown_table
from robbench.text_table import TextTable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a|b", r"a\|b"),
        ("$x$ `y` _z_ *w*", r"\$x\$ \`y\` \_z\_ \*w\*"),
        ("[a](b) &lt;", r"\[a\](b) &amp;lt;"),
        ("one\n# two\\", r"one \# two\\"),
        ("@somebody #12", r"\@somebody \#12"),
    ],
)
def test_special_characters_are_plain(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_a_table() -> None:
    table = TextTable("Two | things", ("name", "number"), [("a|b", "1"), ("c", "2")], numbers=1)
    assert markdown_table(table) == (
        "## Two \\| things\n\n| name | number |\n| :--- | ---: |\n| a\\|b | 1 |\n| c | 2 |\n"
    )
