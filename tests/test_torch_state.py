"""torch's global state: inside it is robbench's, afterwards the caller's."""

import operator
from typing import Any

import pytest
import torch
from torch import nn

import robbench
from robbench.errors import UserError
from robbench.torch_state import plain_torch
from tests.oracles import linear_oracle

SETTINGS = (
    "fp32_precision",
    "cudnn.fp32_precision",
    "cuda.matmul.fp32_precision",
    "cudnn.conv.fp32_precision",
    "cudnn.rnn.fp32_precision",
    "mkldnn.matmul.fp32_precision",
    "mkldnn.conv.fp32_precision",
    "mkldnn.rnn.fp32_precision",
    "cuda.matmul.allow_tf32",
    "cudnn.allow_tf32",
)
NEWER = pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="an older torch")


def read(setting):
    """The value, or that torch refuses to tell it."""
    try:
        return operator.attrgetter(setting)(torch.backends)
    except AttributeError:
        return "not there"
    except RuntimeError:
        return "contradiction"


def write(setting, value):
    owner, _, name = f"backends.{setting}".rpartition(".")
    setattr(operator.attrgetter(owner)(torch), name, value)


@pytest.fixture(autouse=True)
def restored():
    kept = {setting: read(setting) for setting in SETTINGS}
    matmul = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(matmul)
    torch.backends.cudnn.allow_tf32 = kept["cudnn.allow_tf32"]
    for setting in SETTINGS:
        if setting.endswith("fp32_precision") and kept[setting] != "not there":
            write(setting, kept[setting])


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"cudnn.allow_tf32": False},
        {"cuda.matmul.allow_tf32": True},
        pytest.param({"fp32_precision": "tf32"}, marks=NEWER),
        pytest.param({"cudnn.fp32_precision": "tf32", "cudnn.conv.fp32_precision": "none"}, marks=NEWER),
        pytest.param({"cuda.matmul.fp32_precision": "tf32"}, marks=NEWER),
        pytest.param({"cudnn.conv.fp32_precision": "ieee"}, marks=NEWER),
        pytest.param({"mkldnn.matmul.fp32_precision": "bf16"}, marks=NEWER),
        pytest.param({"cuda.matmul.allow_tf32": True, "cuda.matmul.fp32_precision": "ieee"}, marks=NEWER),
    ],
)
def test_products_lose_no_bits_inside_and_are_the_callers_outside(chosen):
    for setting, value in chosen.items():
        write(setting, value)
    before = {setting: read(setting) for setting in SETTINGS}
    with plain_torch():
        inside = {setting: read(setting) for setting in SETTINGS}
        assert torch.get_float32_matmul_precision() == "highest"
    assert set(inside.values()) <= {"ieee", "none", False, "not there"}
    assert {setting: read(setting) for setting in SETTINGS} == before


@pytest.mark.parametrize("chosen", [(True, False), (False, True)])
def test_convolutions_are_steady_inside_and_the_callers_outside(monkeypatch, chosen):
    cudnn = torch.backends.cudnn
    for name, value in zip(("benchmark", "deterministic"), chosen, strict=True):
        monkeypatch.setattr(cudnn, name, value)
    with plain_torch():
        assert (cudnn.benchmark, cudnn.deterministic) == (False, True)
    assert (cudnn.benchmark, cudnn.deterministic) == chosen


@NEWER
def test_what_followed_a_more_general_setting_still_does():
    write("fp32_precision", "tf32")
    write("cudnn.conv.fp32_precision", "none")
    with plain_torch():
        pass
    assert read("cudnn.conv.fp32_precision") == "tf32"
    write("fp32_precision", "ieee")
    assert read("cudnn.conv.fp32_precision") == "ieee"


def test_it_needs_nothing_of_the_newer_settings(monkeypatch):
    monkeypatch.setattr("robbench.torch_state._newer_settings", list)
    torch.backends.cuda.matmul.allow_tf32 = True
    kept = torch.backends.cudnn.allow_tf32
    with plain_torch():
        assert not torch.backends.cuda.matmul.allow_tf32
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == kept


class Seen(nn.Module):
    """Notes the precision of what it computes."""

    def __init__(self, model):
        super().__init__()
        self.model, self.kinds = model, set()

    def forward(self, images):
        logits = self.model(images)
        self.kinds.add(logits.dtype)
        return logits


@pytest.mark.parametrize(
    "state",
    [lambda: torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad, torch.inference_mode],
    ids=["autocast", "no_grad", "inference_mode"],
)
def test_a_model_is_judged_the_same_whatever_the_caller_does(state):
    model, images, labels = linear_oracle(count=30)
    seen, attacks = Seen(model), ["pgd3", "pgd2@foolbox"]
    expected = robbench.evaluate(seen, (images, labels), attacks, "0:0.1:3", precision="float32")
    with state():
        found = robbench.evaluate(seen, (images, labels), attacks, "0:0.1:3", precision="float32")
        assert torch.is_autocast_enabled("cpu") + (not torch.is_grad_enabled()) == 1
    assert seen.kinds == {torch.float32}
    assert found.equals(expected)


@pytest.fixture
def usual_tensors():
    yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "choose",
    [lambda: torch.set_default_device("meta"), lambda: torch.set_default_dtype(torch.float64)],
    ids=["device", "dtype"],
)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_model_is_measured_the_same_wherever_the_caller_makes_tensors(usual_tensors, choose, norm):
    model, images, labels = linear_oracle(count=20)
    attacks = ["pgd3", "noise2", "pgd2@foolbox", "pgd2@art", "apgd2@torchattacks"]
    expected = robbench.evaluate(model, (images, labels), attacks, "0:0.1:3", norm=norm)
    choose()
    chosen = torch.get_default_device(), torch.get_default_dtype()
    found = robbench.evaluate(model, (images, labels), attacks, "0:0.1:3", norm=norm)
    assert (torch.get_default_device(), torch.get_default_dtype()) == chosen
    assert found.equals(expected)


def test_a_model_that_cannot_be_differentiated_is_refused():
    with torch.inference_mode():
        _, images, labels = linear_oracle(count=10)
        model = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 2))
        with pytest.raises(UserError, match="attacks cannot differentiate it"):
            robbench.evaluate(model, (images, labels), ["pgd3"], "0,0.1")


def test_a_compiled_model_runs_as_it_was_written():
    def compile_it(graph, inputs):
        raise AssertionError("it was compiled")

    model, images, labels = linear_oracle(count=10)
    compiled: Any = torch.compile(model, backend=compile_it)
    expected, found = (
        robbench.evaluate(each, (images, labels), ["pgd3", "fab2", "pgd2@art"], "0,0.1")
        for each in (model, compiled)
    )
    assert found.robust_accuracy.equals(expected.robust_accuracy)
    with pytest.raises(Exception, match="it was compiled"):
        compiled(images)
