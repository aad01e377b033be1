import functools
import sys

import pytest
import torch
from torch import nn

from robbench.defenses import defenses
from robbench.defenses.loaded import state_hash
from tests.defenses.formats.loaded import load

TEXTS = {
    "mine.py": "from torch import nn\nfrom my_nets import net\n\ndef build():\n"
    "    from my_late import late\n    late()\n    return nn.Flatten()\n",
    "my_late.py": "def late():\n    import my_later\n",
    "my_later.py": "",
    "my_nets/__init__.py": "",
    "my_nets/net.py": "from .parts.part import one\n",
    "my_nets/parts/part.py": "from .. import other\none = 1\n",
    "my_nets/other.py": "",
    "unused.py": "",
    "torch.py": "",
}
"""A file and what lies beside it; all but the last two are imported."""


pytestmark = pytest.mark.usefixtures("nothing_brought")


@pytest.fixture
def identity(tmp_path):
    """The identity of the defense in a new folder, where one file is edited."""

    def identity(folder: str, edited: str = "") -> str:
        for name, text in TEXTS.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "# edited\n" * (name == edited))
        return load(f"{tmp_path / folder}/mine.py:build").weights_sha256

    return identity


def test_it_does_not_depend_on_where_the_file_lies(identity):
    assert identity("a") == identity("b/c")


@pytest.mark.parametrize("edited", TEXTS)
def test_it_changes_with_every_file_that_is_imported_and_no_other(identity, edited):
    assert (identity("a") == identity("b", edited)) == (edited in ("unused.py", "torch.py"))


def test_it_does_not_depend_on_what_was_imported_before(identity, tmp_path):
    identity("a")
    (tmp_path / "a" / "other.py").write_text("import unused\nfrom torch.nn import Flatten as build\n")
    load(f"{tmp_path / 'a'}/other.py:build")
    assert load(f"{tmp_path / 'a'}/mine.py:build").weights_sha256 == identity("b")


def test_it_is_the_files_text_where_there_are_no_neighbours(tmp_path):
    text = "import json\nfrom torch.nn import Flatten as build\n"
    (tmp_path / "mine.py").write_text(text)
    loaded = load(f"{tmp_path}/mine.py:build")
    assert loaded.weights_sha256 == state_hash(loaded.defense, text)


def test_a_neighbour_that_is_not_python_hurts_nobody(tmp_path):
    (tmp_path / "broken.py").write_bytes(b"\xff(")
    text = "from torch.nn import Flatten as build\ntry:\n    import broken\nexcept SyntaxError:\n    pass\n"
    (tmp_path / "mine.py").write_text(text)
    loaded = load(f"{tmp_path}/mine.py:build")
    assert loaded.weights_sha256 != state_hash(loaded.defense, text)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes an importable package anew, with one file edited, and imports nothing of it."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("my_package", "my_beside")]:
            del sys.modules[name]

    def write(folder: str, edited: str = "") -> None:
        forget()
        for name, text in {
            "my_package/__init__.py": "",
            "my_package/models.py": "from torch import nn\nfrom my_package.layers import Layer\n"
            "import my_beside\n\ndef build():\n    return Layer()\n",
            "my_package/layers.py": "from torch.nn import Flatten as Layer\n",
            "my_package/unused.py": "",
            "my_beside.py": "",
        }.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "# edited\n" * (name == edited))
        monkeypatch.syspath_prepend(tmp_path / folder)

    yield write
    forget()


FILES = {
    "my_package/__init__.py": True,
    "my_package/models.py": True,
    "my_package/layers.py": True,
    "my_package/unused.py": False,
}


@pytest.mark.parametrize("parent", ["", "site-packages"])
@pytest.mark.parametrize(("edited", "counts"), [*FILES.items(), ("my_beside.py", None)])
def test_a_package_counts_as_far_as_it_is_imported(package, parent, edited, counts):
    package(f"a/{parent}")
    before = load("my_package.models:build").weights_sha256
    package(f"b/{parent}", edited)
    changed = load("my_package.models:build").weights_sha256 != before
    # What lies beside it is its own code, unless it lies among all that is installed.
    assert changed == (not parent if counts is None else counts)


@pytest.mark.parametrize("partial", [False, True])
def test_an_entry_point_counts_with_its_module(package, monkeypatch, partial):
    hashes = []
    for folder, edited in (("a", ""), ("b", "my_package/layers.py"), ("c", "my_package/unused.py")):
        package(folder, edited)
        from my_package.models import build  # pyright: ignore[reportMissingImports]

        monkeypatch.setitem(defenses._members, "mine", functools.partial(build) if partial else build)
        hashes.append(load("mine").weights_sha256)
    assert hashes[0] == hashes[2] != hashes[1]


def test_torch_is_no_part_of_a_defense():
    from robbench.defenses.formats.source_text import text_of_module

    with open(nn.__file__, encoding="utf-8") as file:
        assert text_of_module(nn) == file.read()


def test_what_has_no_text_has_an_empty_one():
    from robbench.defenses.formats.source_text import text_of_module

    assert text_of_module(None) == text_of_module(sys) == text_of_module(torch._C) == ""
