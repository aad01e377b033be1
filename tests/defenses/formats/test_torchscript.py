import pytest
import torch

from robbench.classifier import frozen
from robbench.errors import UserError
from tests.defenses.formats.loaded import load
from tests.oracles import SmoothNet

# The format is what is tested, whatever torch thinks of it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),  # torch 2.11
]

IMAGES = torch.rand(5, 1, 8, 8)


@pytest.fixture
def program(tmp_path):
    net = SmoothNet(classes=10).eval()
    path = tmp_path / "net.pt"
    torch.jit.save(torch.jit.trace(net, IMAGES), path)
    return net, path


def test_it_computes_what_was_saved_and_has_gradients(program):
    net, path = program
    loaded = load(path)
    assert loaded.name == "net.pt"
    torch.testing.assert_close(loaded.defense.model(IMAGES), net(IMAGES))
    images = IMAGES.clone().requires_grad_(True)
    with frozen(loaded.defense.model):
        (gradient,) = torch.autograd.grad(loaded.defense.model(images).sum(), images)
    assert gradient.ne(0).any()


def test_its_hash_is_of_the_file(program, tmp_path):
    net, path = program
    before = load(path).weights_sha256
    assert load(path).weights_sha256 == before
    net.head.bias.data += 1
    torch.jit.save(torch.jit.trace(net, IMAGES), path)
    assert load(path).weights_sha256 != before


def test_weights_alone_are_no_program(tmp_path):
    torch.save(SmoothNet().state_dict(), tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"(?s)no TorchScript program.*--kind network"):
        load(tmp_path / "weights.pth")


def test_what_can_go_wrong_is_said(tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        load(tmp_path / "net.pt")
    (tmp_path / "net.pt").write_bytes(b"no archive")
    with pytest.raises(UserError, match="no TorchScript program"):
        load(tmp_path / "net.pt")


def test_a_damaged_program_is_said(program):
    _, path = program
    content = bytearray(path.read_bytes())
    content[200:3000] = bytes(2800)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be loaded as TorchScript|no TorchScript program"):
        load(path)
