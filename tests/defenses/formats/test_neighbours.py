import pickle
import sys

import pytest
import torch

from tests.defenses.formats.loaded import load

FILE = """
from torch import nn
from my_layers import Times

def build():
    return nn.Sequential(Times(), nn.Flatten())
"""
LAYERS = """
from torch import nn

class Times(nn.Module):
    def forward(self, x):
        return x * {factor}
"""


pytestmark = pytest.mark.usefixtures("nothing_brought")


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return f"{path}:build"

    return write


def factor(loaded) -> float:
    return loaded.defense.model(torch.ones(1, 1, 1, 1)).item()


def test_two_files_have_each_their_own_neighbour_of_one_name(write):
    names = []
    for folder, number in (("a", 2), ("b", 3)):
        write(f"{folder}/my_layers.py", LAYERS.format(factor=number))
        names.append(write(f"{folder}/mine.py", FILE))
    one, two = (load(name) for name in names)
    assert (factor(one), factor(two)) == (2, 3)
    assert factor(load(names[0])) == 2


@pytest.mark.parametrize("package", [True, False])
def test_packages_do_not_mix_either(write, package):
    names = []
    for folder, number in (("a", 2), ("b", 3)):
        if package:
            write(f"{folder}/nets/__init__.py", "from .my_layers import Times")
        write(f"{folder}/nets/my_layers.py", LAYERS.format(factor=number))
        names.append(write(f"{folder}/mine.py", FILE.replace("my_layers", "nets.my_layers")))
    assert [factor(load(name)) for name in names] == [2, 3]


@pytest.mark.parametrize("place", ["src", "../{0}_src"])
def test_a_folder_that_a_file_puts_onto_the_path_is_its_own(write, tmp_path, place):
    names = []
    for folder, number in (("a", 2), ("b", 3)):
        there = place.format(folder)
        write(f"{folder}/{there}/my_layers.py", LAYERS.format(factor=number))
        start = f"import sys\nsys.path.append({str((tmp_path / folder / there).resolve())!r})\n"
        names.append(write(f"{folder}/mine.py", start + FILE))
    loaded = [load(name) for name in names]
    assert [factor(each) for each in loaded] == [2, 3]
    assert len({each.weights_sha256 for each in loaded}) == 2


def test_a_file_that_puts_its_folder_first_does_not_shadow_those_of_others(write, tmp_path):
    names = []
    for folder, number, start in (
        ("a", 2, f"import sys\nsys.path.insert(0, {str(tmp_path / 'a')!r})\n"),
        ("b", 3, ""),
    ):
        write(f"{folder}/my_layers.py", LAYERS.format(factor=number))
        names.append(write(f"{folder}/mine.py", start + FILE))
    assert [factor(load(name)) for name in names] == [2, 3]
    assert sys.path[-1] == str(tmp_path / "a")


LATE = """
from torch import nn
import my_layers

class Late(nn.Module):
    def forward(self, x):
        from my_layers import Times
        return Times()(x)

build = Late
"""


def test_a_forward_pass_that_imports_a_neighbour_finds_it(write):
    write("a/my_layers.py", LAYERS.format(factor=2))
    late = load(write("a/mine.py", LATE))
    write("b/other_layers.py", LAYERS.format(factor=3))
    load(write("b/mine.py", FILE.replace("my_layers", "other_layers")))
    assert factor(late) == 2


def test_a_forward_pass_never_gets_the_neighbour_of_another_file(write):
    loaded = []
    for folder, number in (("a", 2), ("b", 3)):
        write(f"{folder}/my_layers.py", LAYERS.format(factor=number))
        loaded.append(load(write(f"{folder}/mine.py", LATE)))
    for each in loaded:
        with pytest.raises(ImportError, match="my_layers"):
            factor(each)


def test_a_module_of_a_neighbour_can_be_pickled(write):
    write("my_layers.py", LAYERS.format(factor=2))
    model = load(write("mine.py", FILE)).defense.model
    assert type(pickle.loads(pickle.dumps(model))) is type(model)


def test_files_of_one_folder_share_their_neighbours(write):
    write("my_layers.py", LAYERS.format(factor=2))
    one, two = (load(write(name, FILE)).defense.model for name in ("one.py", "two.py"))
    assert type(one.get_submodule("0")) is type(two.get_submodule("0"))


def test_a_library_below_the_folder_is_imported_once(write, tmp_path, monkeypatch):
    write("a/env/my_library.py", LAYERS.format(factor=2))
    monkeypatch.syspath_prepend(tmp_path / "a" / "env")
    text = FILE.replace("my_layers", "my_library")
    one, two = (load(write(f"{folder}/mine.py", text)).defense.model for folder in "ab")
    assert type(one.get_submodule("0")) is type(two.get_submodule("0"))
    del sys.modules["my_library"]


def test_what_was_imported_before_stays(write, tmp_path, monkeypatch):
    write("a/my_layers.py", LAYERS.format(factor=2))
    with monkeypatch.context() as context:
        context.syspath_prepend(tmp_path / "a")
        import my_layers  # pyright: ignore[reportMissingImports]
    load(write("a/mine.py", FILE))
    write("b/other.py", "")
    load(write("b/mine.py", "import other\nfrom torch.nn import Flatten as build"))
    assert sys.modules.pop("my_layers") is my_layers


def test_a_file_that_fails_leaves_the_path_alone(write):
    from robbench.errors import UserError

    before = list(sys.path)
    write("my_layers.py", "raise KeyError('here')")
    with pytest.raises(UserError, match="here"):
        load(write("mine.py", FILE))
    assert sys.path == before
