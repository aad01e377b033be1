"""A defense that imports RobustBench and gets torchattacks' old copy of it is told so."""

import sys

import pytest

from robbench.errors import UserError
from tests.defenses.formats.loaded import load


def install(folder, package, modules):
    """What pip leaves of a package: its files, and the record of them."""
    lines = []
    for name, text in modules.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        lines.append(f"{name},,\n")
    record = folder / f"{package}-9.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.0\n")
    (record / "RECORD").write_text("".join(lines))


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of packages before all others; nothing imported from it stays."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "robustbench":
            del sys.modules[name]


OLD = {"robustbench/__init__.py": "", "robustbench/loaders.py": "import nonesuch_resources\n"}
DEFENSES = {
    "a module that the copy needs": "import robustbench.loaders\n",
    "a module that the copy lacks": "import robustbench.newer\n",
    "a function that the copy lacks": "from robustbench import load_newer\n",
    "in the factory": "def build():\n    import robustbench.loaders\n",
}


@pytest.mark.parametrize("text", DEFENSES.values(), ids=DEFENSES)
def test_the_copy_is_named(packages, tmp_path, text):
    install(packages, "torchattacks", OLD)
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UserError, match="an old copy that torchattacks installs"):
        load(f"{tmp_path / 'mine.py'}:build")
    with pytest.raises(UserError, match="an old copy that torchattacks installs"):
        load("robustbench.loaders:build")


def test_other_failures_and_the_real_one_are_not(packages, tmp_path):
    install(packages, "torchattacks", OLD)
    file = tmp_path / "mine.py"
    file.write_text("import robustbench, nonesuch_module\n")
    with pytest.raises(UserError) as caught:
        load(f"{file}:build")
    assert "torchattacks" not in caught.value.hint
    # A folder of that name elsewhere, as a clone in the working directory, is the user's own.
    (tmp_path / "robustbench").mkdir()
    (tmp_path / "robustbench" / "mine.py").write_text("import nonesuch_module\n")
    with pytest.raises(UserError) as caught:
        load(f"{tmp_path / 'robustbench' / 'mine.py'}:build")
    assert "torchattacks" not in caught.value.hint
    install(packages, "robustbench", {"robustbench/__init__.py": ""})
    file.write_text(DEFENSES["a module that the copy needs"])
    with pytest.raises(UserError) as caught:
        load(f"{file}:build")
    assert "torchattacks" not in caught.value.hint
