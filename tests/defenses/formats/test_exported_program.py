import os
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from robbench.classifier import frozen
from robbench.defenses.formats import Wanted
from robbench.defenses.formats.exported_program import Exported
from robbench.errors import UserError
from tests.defenses.formats.loaded import load
from tests.oracles import SmoothNet

IMAGES = torch.rand(5, 1, 8, 8)
ANY_BATCH = ({0: torch.export.Dim("batch")},)


def export(net: nn.Module, path: Path, dynamic=ANY_BATCH) -> Path:
    torch.export.save(torch.export.export(net, (IMAGES,), dynamic_shapes=dynamic), path)
    return path


def test_it_computes_what_was_exported_at_any_batch_size(tmp_path):
    net = SmoothNet(classes=10).eval()
    loaded = load(export(net, tmp_path / "net.pt2"))
    assert loaded.name == "net.pt2"
    model = loaded.defense.model
    with frozen(model):
        for count in (1, 5, 9):
            images = torch.rand(count, 1, 8, 8, requires_grad=True)
            torch.testing.assert_close(model(images), net(images))
            (gradient,) = torch.autograd.grad(model(images).sum(), images)
            assert gradient.ne(0).any()


class Casting(nn.Module):
    """Makes a tensor on its way, and casts: an export writes the device of both into the program."""

    def __init__(self) -> None:
        super().__init__()
        self.net = SmoothNet(classes=10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.net(images.double().float() + torch.zeros(8, device=images.device))


def test_a_program_is_made_for_the_device_it_is_measured_on(tmp_path):
    path = export(Casting().eval(), tmp_path / "net.pt2")
    elsewhere = torch.device("meta")
    model = Exported().load(str(path), Wanted("digits", (1, 8, 8), 10, device=elsewhere)).defense.model
    assert model(torch.rand(3, 1, 8, 8, device=elsewhere)).shape == (3, 10)


def test_a_fixed_batch_is_refused_with_the_way_to_export(tmp_path):
    with pytest.raises(UserError, match=r"(?s)batches of exactly 5;.*torch.export.Dim"):
        load(export(SmoothNet().eval(), tmp_path / "net.pt2", None))


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.BatchNorm2d(1)])
def test_an_export_in_training_mode_is_refused(tmp_path, layer):
    with pytest.raises(UserError, match=r"(?s)in training mode.*model.eval\(\)"):
        load(export(nn.Sequential(layer, nn.Flatten()).train(), tmp_path / "net.pt2"))
    load(export(nn.Sequential(layer, nn.Flatten()).eval(), tmp_path / "good.pt2"))


class Trap:
    """Unpickling it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return (os.mkdir, (str(self.folder),))


def test_no_pickled_code_runs(tmp_path):
    good = export(SmoothNet(classes=10).eval(), tmp_path / "good.pt2")
    torch.save((Trap(tmp_path / "trapped"),), tmp_path / "trap")
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as new:
        for name in old.namelist():
            sample = name.endswith("sample_inputs/model.pt")
            new.writestr(name, (tmp_path / "trap").read_bytes() if sample else old.read(name))
    with pytest.raises(UserError, match="cannot be loaded as an exported program"):
        load(tmp_path / "bad.pt2")
    assert not (tmp_path / "trapped").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_what_is_no_program_is_said_and_torch_logs_no_traceback_of_it(tmp_path, caplog):
    (tmp_path / "net.pt2").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match="cannot be loaded as an exported program"):
        load(tmp_path / "net.pt2")
    with zipfile.ZipFile(tmp_path / "empty.pt2", "w") as archive:
        archive.writestr("archive_format", "pt2")
    with pytest.raises(UserError, match="cannot be loaded as an exported program"):
        load(tmp_path / "empty.pt2")
    assert not [record for record in caplog.records if record.name.startswith("torch.export")]
