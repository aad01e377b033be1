import sys

import pytest

from robbench.errors import UserError
from tests.defenses.formats.loaded import load


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").touch()
    text = "from torch import nn\ndef build(classes):\n    return nn.Linear(64, classes)\n"
    (tmp_path / "own_package" / "models.py").write_text(text)
    (tmp_path / "own_package" / "broken.py").write_text("raise KeyError('weights')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("own_package")]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_a_factory_of_an_installed_package():
    loaded = load("own_package.models:build")
    assert (loaded.name, loaded.origin) == ("own_package.models.build", "own_package.models:build")
    assert loaded.defense.model.get_parameter("weight").shape == (10, 64)


def test_a_class_will_do():
    assert load("torch.nn:Flatten").name == "torch.nn.Flatten"


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_package.models:", "names a module, but no factory"),
        ("own_package.models:biuld", "Did you mean build"),
        ("own_package.modles:build", "No module named 'own_package.modles'"),
        ("own_package.broken:build", "own_package.broken cannot be imported: KeyError: 'weights'"),
        ("nonesuch_package:build", "(?s)cannot be imported.*Is its package installed"),
    ],
)
def test_what_can_go_wrong_is_said(name, message):
    with pytest.raises(UserError, match=message):
        load(name)


def test_a_forgotten_suffix_is_suggested(tmp_path, monkeypatch):
    (tmp_path / "own_net.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(tmp_path))])
    with pytest.raises(UserError, match=r"Did you mean own_net\.py:build\?"):
        load("own_net:build")


@pytest.mark.parametrize("name", ["../../x", "<script>:alert", "a/b:c"])
def test_what_is_no_format_is_no_defense(name):
    with pytest.raises(UserError, match="There is no defense called"):
        load(name)
