from pathlib import Path

import pytest
import torch

from robbench.defenses import defenses
from robbench.errors import UserError
from tests.commands import start
from tests.defenses.formats.loaded import load

MODULE = """
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 10))
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_plain_module(mine):
    mine(MODULE)
    loaded = load("mine.py:build")
    assert (loaded.name, loaded.origin, loaded.card) == ("mine.build", "mine.py:build", None)
    assert loaded.defense.views == ("exact",)
    assert not any(module.training for module in loaded.defense.model.modules())


def test_a_defense_with_a_layer_has_its_views(mine):
    mine(
        MODULE.replace("import torch\n", "import torch\nfrom robbench import Defense\n", 1)
        + "class Round(nn.Module):\n    def forward(self, x):\n        return (x * 4).round() / 4\n"
        + "def defended():\n    return Defense(build(), layer=Round())\n"
    )
    loaded = load("mine.py:defended")
    assert loaded.defense.views == ("exact", "bpda", "substitute")
    x = torch.rand(2, 1, 8, 8, requires_grad=True)
    (exact,) = torch.autograd.grad(loaded.defense.view("exact")(x).sum(), x)
    (bpda,) = torch.autograd.grad(loaded.defense.view("bpda")(x).sum(), x)
    assert exact.eq(0).all()
    assert bpda.ne(0).any()


def test_a_smooth_layer_with_no_layer_to_stand_in_for_is_refused(mine):
    mine(
        "from robbench import Defense\n"
        + MODULE
        + "def half():\n    return Defense(build(), smooth=nn.ReLU())\n"
    )
    with pytest.raises(UserError, match="no layer is given"):
        load("mine.py:half")


def test_a_class_that_was_not_called_is_refused(mine):
    mine("from torch import nn\nfrom robbench import Defense\ndef build():\n    return Defense(nn.Flatten)\n")
    # In a process of its own, where types are not checked as they are in tests.
    typed = start("check", "mine.py:build")
    _, said = typed.communicate()
    assert typed.returncode == 2
    assert "The network of a Defense is a torch.nn.Module, not <class" in said
    assert "Traceback" not in said


def test_the_hash_changes_with_the_weights_and_with_the_source(mine):
    hashes = []
    for text in (
        MODULE,
        MODULE,
        MODULE + "# a comment\n",
        MODULE.replace("manual_seed(0)", "manual_seed(1)"),
    ):
        mine(text)
        hashes.append(load("mine.py:build").weights_sha256)
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_neighbours_can_be_imported_and_the_path_is_left_alone(mine):
    import sys

    before = list(sys.path)
    mine("from torch import nn\nclass NeighbourNet(nn.Flatten):\n    pass\n", "neighbour_net.py")
    mine("def build():\n    from neighbour_net import NeighbourNet\n    return NeighbourNet()\n")
    assert type(load("mine.py:build").defense.model).__name__ == "NeighbourNet"
    assert sys.path == before
    del sys.modules["neighbour_net"]


def test_two_files_of_one_name_do_not_mix(mine, tmp_path):
    (tmp_path / "a").mkdir()
    mine(MODULE, "a/mine.py")
    mine(MODULE.replace("64, 10", "64, 12"))
    assert load("a/mine.py:build").defense.model(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
    assert load(f"{tmp_path}/mine.py:build").defense.model(torch.zeros(1, 1, 8, 8)).shape == (1, 12)


def test_dataclasses_work_in_the_file(mine):
    mine(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom torch import nn\n"
        "@dataclass\nclass Options:\n    width: int = 3\n"
        "def build():\n    return nn.Flatten(Options().width - 2)\n"
    )
    assert load("mine.py:build").name == "mine.build"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("mine.py:build", "mine.build"), ("dir/my net!.py:make", "my_net_.make"), ("dir/../x.py:f", "x.f")],
)
def test_names_are_fit_for_files(mine, tmp_path, name, shown):
    (tmp_path / "dir").mkdir()
    mine(f"from torch.nn import Flatten as {name.rpartition(':')[2]}\n", name.rpartition(":")[0])
    assert load(name).name == shown


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (None, "missing.py:build", "There is no file missing.py"),
        (MODULE, "mine.py", "names a file, but no factory"),
        (MODULE, "mine.py:", "names a file, but no factory"),
        (MODULE, "mine.py:biuld", "(?s)no factory in mine.py called 'biuld'.*Did you mean build"),
        ("x = 1\n", "mine.py:build", "(?s)no factory in mine.py.*no function is defined there"),
        ("build = 3\n", "mine.py:build", "no factory in mine.py"),
        ("def build(:\n", "mine.py:build", "mine.py fails when it is imported: SyntaxError"),
        (
            "import nonesuch_module\n",
            "mine.py:build",
            "ModuleNotFoundError: No module named 'nonesuch_module'",
        ),
        ("raise SystemExit(3)\n", "mine.py:build", "SystemExit: 3"),
        ("def build():\n    raise KeyError('w')\n", "mine.py:build", "mine.py:build raised KeyError: 'w'"),
        ("def build():\n    raise SystemExit(3)\n", "mine.py:build", "(?s)SystemExit: 3.*the command line"),
        ("def build(path):\n    pass\n", "mine.py:build", "asks for 'path', which robbench cannot know"),
        ("def build():\n    return 'net'\n", "mine.py:build", "returned str, which is no torch.nn.Module"),
        ("from torch import nn\ndef build():\n    return nn.Flatten\n", "mine.py:build", "returned type"),
        ("def build():\n    pass\n", "mine.py:build", "returned NoneType"),
    ],
)
def test_what_can_go_wrong_is_said(mine, text, name, message):
    if text is not None:
        mine(text)
    with pytest.raises(UserError, match=message):
        load(name)


def test_a_factory_is_given_what_it_asks_for_by_name(mine):
    mine(
        "from torch import nn\n"
        "def build(classes, *, shape, width=3, dataset='none', **others):\n"
        "    assert (dataset, width, others) == ('digits', 3, {})\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(shape[1] * shape[2], classes))\n"
    )
    assert load("mine.py:build").defense.model.get_parameter("1.weight").shape == (10, 64)


def test_what_the_factory_raised_is_chained(mine):
    mine("def build():\n    raise ZeroDivisionError('inner')\n")
    with pytest.raises(UserError) as caught:
        load("mine.py:build")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_unreadable_file_is_said(mine, tmp_path):
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe\x00broken")
    with pytest.raises(UserError, match="cannot be read"):
        load("mine.py:build")


def test_an_entry_point_may_be_a_factory(monkeypatch):
    monkeypatch.setitem(defenses._members, "ready-made", torch.nn.Flatten)
    loaded = load("ready-made")
    assert (loaded.name, loaded.card) == ("ready-made", None)


FOLDERS = """
from torch import nn

def build(data_dir, models_dir):
    return nn.Linear(len(str(data_dir)), len(str(models_dir)))

def own(data_dir="here"):
    return nn.Linear(len(str(data_dir)), 1)
"""


def test_a_factory_is_told_the_folders_that_the_user_named(mine):
    mine(FOLDERS)

    def features(factory, **folders):
        weight = load(f"mine.py:{factory}", **folders).defense.model.get_parameter("weight")
        return tuple(weight.shape[::-1])

    assert features("build", data_dir=Path("data-here"), models_dir=Path("models")) == (9, 6)
    assert features("build") == (len("None"), len("None"))
    # A default of the user's own stays where nothing is named.
    assert features("own") == (4, 1)
    assert features("own", data_dir=Path("data-here")) == (9, 1)


@pytest.mark.parametrize("command", ["run", "check"])
def test_data_dir_reaches_the_factory_through_the_commands(mine, tmp_path, shell, command):
    mine("def build(data_dir):\n    raise KeyError(data_dir.name)\n")
    (tmp_path / "digits-here").mkdir()
    asked = {"run": ("--defense", "mine.py:build", "--attacks", "fgsm"), "check": ("mine.py:build",)}[command]
    said = shell(command, *asked, "--data-dir", tmp_path / "digits-here")
    assert said.code == 2
    assert "raised KeyError: 'digits-here'" in said.err
