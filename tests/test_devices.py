import pytest
import torch

from robbench.devices import choose_device, choose_precision, has_bfloat16, is_out_of_memory
from robbench.errors import UserError
from tests.pretended_gpu import pretended_gpu


@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:0"])
def test_a_gpu_has_a_number(name):
    with pretended_gpu():
        assert choose_device(name) == torch.device("cuda", 0)


def test_the_current_gpu_is_meant_where_none_is_named(monkeypatch):
    with pretended_gpu():
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
        assert choose_device("cuda") == torch.device("cuda", 2)
        assert choose_device("cuda:3") == torch.device("cuda", 3)
        with pytest.raises(UserError, match="sees 4 CUDA devices"):
            choose_device("cuda:4")


@pytest.mark.parametrize("name", ["tpu", "mps", "", "cuda:x"])
def test_other_devices_are_refused(name):
    with pytest.raises(UserError, match="not a device robbench can use"):
        choose_device(name)


def test_memory_that_ran_out_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError())
    assert is_out_of_memory(RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.parametrize("units", ["amx_bf16", "avx512_bf16", None])
def test_a_cpu_has_bfloat16_where_it_has_units_that_multiply_it(monkeypatch, units):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_f": True, units: True}, raising=False)
    assert has_bfloat16(torch.device("cpu")) == (units is not None)


def test_a_torch_that_cannot_tell_takes_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_precision("auto", torch.device("cpu")) == "float32"
