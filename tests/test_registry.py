import pytest

from robbench.errors import UserError
from robbench.registry import Registry


@pytest.fixture
def fruits(tmp_path, monkeypatch):
    package = tmp_path / "orchard"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from robbench.registry import Registry\nfruits = Registry('fruit', 'orchard')\n"
    )
    (package / "apple.py").write_text("from orchard import fruits\nfruits.register('apple')('an apple')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import orchard  # pyright: ignore[reportMissingImports]

    yield orchard.fruits
    import sys

    for name in [name for name in sys.modules if name.startswith("orchard")]:
        del sys.modules[name]


def test_finds_what_lies_in_the_package(fruits):
    assert fruits.names() == ["apple"]
    assert fruits.get("apple") == "an apple"
    assert fruits.items() == [("apple", "an apple")]


def test_a_typo_gets_the_nearest_name(fruits):
    with pytest.raises(UserError) as caught:
        fruits.get("aple")
    assert "'aple'" in caught.value.message
    assert "Did you mean apple?" in caught.value.hint


def test_a_name_like_no_other_gets_the_whole_list(fruits):
    with pytest.raises(UserError) as caught:
        fruits.get("zzz")
    assert "There are: apple." in caught.value.hint


def test_a_name_taken_twice_is_a_fault():
    registry = Registry("fruit", "robbench.defenses")
    registry.register("apple")(1)
    with pytest.raises(ValueError, match="two fruits are called 'apple'"):
        registry.register("apple")(2)
