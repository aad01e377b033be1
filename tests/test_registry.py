import re
from importlib.metadata import EntryPoint

import pytest

from robbench.errors import UserError
from robbench.registry import SHOWN, Registry, suggest


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


def test_a_long_list_is_cut():
    names = [f"network_{number:04}" for number in range(1000)]
    hint = suggest("network", "zzz", names).hint
    assert f"network_{SHOWN - 1:04} and {1000 - SHOWN} more." in hint
    assert f"network_{SHOWN:04}" not in hint


def test_a_name_taken_twice_is_a_fault():
    registry = Registry("fruit", "robbench.defenses")
    registry.register("apple")(1)
    with pytest.raises(ValueError, match="two fruits are called 'apple'"):
        registry.register("apple")(2)


def test_what_a_hint_names_is_a_listing(fruits, shell):
    from robbench.attacks.registration import attacks
    from robbench.datasets import datasets
    from robbench.defenses import defenses
    from robbench.figures import figures
    from robbench.networks import networks

    with pytest.raises(UserError) as caught:
        fruits.get("aple")
    assert "`" not in caught.value.hint
    for registry in (attacks, datasets, defenses, figures, networks):
        typed = shell(*registry.list_command.split()[1:])
        assert typed.code == 0
        assert registry.names()[0].partition("@")[0] in typed.out


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        ("attack", "xx", "os.path:join", "should be a dataclass .* os.path:join is of the type function"),
        ("attack", "xx", "robbench.datasets:DatasetInfo", "should be a dataclass .* of the type type"),
        ("dataset", "xx", "os.path:join", "DatasetInfo, but os.path:join is of the type function"),
        ("defense", "xx", "os:path", "should be a factory .*, but os:path is of the type module"),
        ("defense", "natural", "os.path:join", "another one called so"),
    ],
)
def test_a_package_that_brings_something_else_is_named(monkeypatch, shell, kind, name, value, message):
    from robbench.attacks.registration import attacks
    from robbench.datasets import datasets
    from robbench.defenses import defenses

    registry = {"attack": attacks, "dataset": datasets, "defense": defenses}[kind]
    registry.names()
    entry = EntryPoint(name, value, f"robbench.{kind}s")
    # Filled once more by its own modules, which are imported already and so register nothing.
    monkeypatch.setattr("robbench.registry.entry_points", lambda group: [entry] * (group == entry.group))
    monkeypatch.setattr(registry, "_filled", False)
    typed = shell("list", f"{kind}s")
    assert typed.code == 2
    assert re.search(message, " ".join(typed.err.split()))
    assert f"The {kind} {name!r} should" in typed.err
    assert "Mend" in typed.err or "another name" in typed.err


def test_a_package_that_cannot_be_imported_is_named(monkeypatch):
    broken = EntryPoint("pear", "nonesuch_package:pear", "robbench.fruits")
    monkeypatch.setattr("robbench.registry.entry_points", lambda group: [broken])
    with pytest.raises(UserError, match="fruit 'pear' cannot be imported: ModuleNotFoundError"):
        Registry("fruit", "robbench.templates").names()
