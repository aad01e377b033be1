"""A pretended GPU: what a GPU would refuse, and where the host would wait for it, seen without one.

Its tensors are of a class of their own. The CPU computes with them, refuses to mix them with its own as a GPU
does, and notes whenever the host would have to wait until the GPU is done: to read a number, to learn a size
that depends on data, to copy either way. What cannot be seen so is speed, and a GPU's last bits.
"""

import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

GPU = torch.device("cuda", 0)
INSIDE = torch.device("meta")
"""What torch takes the GPU for: the one device that autograd goes along with and that has no driver."""
READS = ("_local_scalar_dense", "is_nonzero", "equal")
SIZED_BY_DATA = ("nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive")
INDEXES = ("index", "index_put", "index_put_", "_index_put_impl_")


class Wait(NamedTuple):
    """The host waits until the GPU is done."""

    why: str
    """The operation."""
    within: tuple[str, ...]
    """The functions of robbench that are under way, as ``robbench.sweep.engine._advance``."""


class OnGPU(Tensor):
    """A tensor on the pretended GPU; outside of it, nothing can be done with one."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]
    kept: Tensor

    @staticmethod
    def __new__(cls, kept: Tensor):
        tensor = Tensor._make_wrapper_subclass(
            cls, kept.size(), kept.stride(), kept.storage_offset(), dtype=kept.dtype, device=INSIDE
        )
        tensor.kept = kept
        return tensor

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise AssertionError(f"{func} after the pretended GPU is gone")


OnGPU.__module__ = "torch"  # which is how foolbox knows a tensor


@contextmanager
def pretended_gpu() -> Iterator[list[Wait]]:
    """Let torch see one CUDA device; gives what the host waits for, as it comes."""
    waits: list[Wait] = []
    with ExitStack() as stack:
        for owner, replaced in _replaced():
            for name, value in replaced.items():
                stack.enter_context(mock.patch.object(owner, name, value))
        stack.enter_context(_Names(waits))
        stack.enter_context(_Operations(waits))
        yield waits


class _Operations(TorchDispatchMode):
    """Computes what is asked of the GPU, below autograd."""

    def __init__(self, waits: list[Wait]) -> None:
        super().__init__()
        self._waits = waits

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        operation, options = func, dict(kwargs or {})
        name, wanted = operation._schema.name.partition("::")[2], options.pop("device", None)
        if name == "_to_copy":
            return self._copied(operation, args[0], wanted, options)
        if name == "copy_":
            if isinstance(args[0], OnGPU) != isinstance(args[1], OnGPU):
                _note(self._waits, "copy")
            _kept(args[0]).copy_(_kept(args[1]))
            return args[0]
        tensors = _tensors([*args, *options.values()])
        here = {id(tensor.kept): tensor for tensor in tensors if isinstance(tensor, OnGPU)}
        if here:
            self._check(name, args, tensors)
        if wanted is not None and wanted != INSIDE:
            options["device"] = wanted
        found = operation(*map(_kept, args), **{key: _kept(value) for key, value in options.items()})
        if wanted != INSIDE and (wanted is not None or not here):
            return found
        # What was written in place is still the tensor it was.
        return _wrapped(found, here)

    def _copied(self, operation: Any, source: Tensor, wanted: Any, options: dict[str, Any]) -> Tensor:
        is_here = isinstance(source, OnGPU)
        comes_here = is_here if wanted is None else wanted == INSIDE
        if is_here != comes_here and not options.pop("non_blocking", False):
            _note(self._waits, "upload" if comes_here else "download")
        options = {key: value for key, value in options.items() if key not in ("non_blocking", "pin_memory")}
        copied = operation(_kept(source), **options)
        return OnGPU(copied) if comes_here else copied

    def _check(self, name: str, args: tuple[Any, ...], tensors: list[Tensor]) -> None:
        strangers = [tuple(one.shape) for one in tensors if not isinstance(one, OnGPU) and one.dim()]
        if strangers and name not in INDEXES:
            raise RuntimeError(f"all tensors must be on one device; {name} met {strangers} on the CPU")
        masks = [one for one in _tensors(args[1:2]) if one.dtype == torch.bool]
        searches = name in INDEXES and (strangers or masks)
        if searches or name in READS + SIZED_BY_DATA:
            _note(self._waits, name)


class _Names(TorchFunctionMode):
    """Calls the pretended GPU ``cuda``, as far as Python sees."""

    def __init__(self, waits: list[Wait]) -> None:
        super().__init__()
        self._waits = waits

    def __torch_function__(self, func, types, args=(), kwargs=None):
        function, options = func, dict(kwargs or {})
        if function is torch.device:
            return function(*args, **options)
        if args and isinstance(args[0], OnGPU):
            if function == Tensor.device.__get__:
                return GPU
            if function == vars(torch._C.TensorBase)["is_cuda"].__get__:
                return True
            if function == Tensor.tolist:
                _note(self._waits, "tolist")
                return args[0].kept.tolist()
            if function == Tensor.numpy:
                raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        if function in (torch.tensor, torch.as_tensor) and _is_gpu(options.get("device")):
            del options["device"]
            return function(*args, **options).to(INSIDE)
        named = {key: _inside(value) for key, value in options.items()}
        return function(*map(_inside, args), **named)


def _is_gpu(device: Any) -> bool:
    return device == INSIDE or _inside(device) == INSIDE


def _inside(value: Any) -> Any:
    """The name by which torch knows the GPU, where it is called by another."""
    is_name = isinstance(value, str) and value in ("cuda", "cuda:0")
    return INSIDE if is_name or (isinstance(value, torch.device) and value.type == "cuda") else value


def _tensors(values: Iterable[Any]) -> list[Tensor]:
    """The tensors among the arguments of an operation, where some are lists."""
    lists = [value if isinstance(value, list | tuple) else (value,) for value in values]
    return [one for some in lists for one in some if isinstance(one, Tensor)]


def _kept(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_kept(one) for one in value]
    return value.kept if isinstance(value, OnGPU) else value


def _wrapped(value: Any, here: Mapping[int, Tensor]) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_wrapped(one, here) for one in value)
    if not isinstance(value, Tensor):
        return value
    return here[id(value)] if id(value) in here else OnGPU(value)


def _note(waits: list[Wait], why: str) -> None:
    frames = [frame for frame, _ in traceback.walk_stack(sys._getframe(1))]
    names = [f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}" for frame in reversed(frames)]
    waits.append(Wait(why, tuple(name for name in names if name.startswith("robbench."))))


class _CpuGenerator(type):
    """Makes every generator one of the CPU; a type in hints as the class in whose place it stands."""

    original = torch.Generator

    def __call__(cls, device: Any = "cpu") -> torch.Generator:
        return cls.original()

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.original)


class _Generator(metaclass=_CpuGenerator):
    pass


def _replaced() -> list[tuple[Any, dict[str, Any]]]:
    """What asks the driver, and what it is told instead."""

    @contextmanager
    def fork_rng(devices: Any = None, enabled: bool = True):
        state = torch.get_rng_state()
        try:
            yield
        finally:
            torch.set_rng_state(state)

    cuda = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "device": lambda device: nullcontext(),
        "get_device_name": lambda device=None: "Pretended GPU",
        "is_bf16_supported": lambda including_emulation=True: False,
        "synchronize": lambda device=None: None,
        "default_generators": (torch.Generator(),),
        "manual_seed_all": lambda seed: None,
        "reset_peak_memory_stats": lambda device=None: None,
        "max_memory_allocated": lambda device=None: 1,
    }
    # An optimizer looks whether a graph is being captured, and at its weights' device.
    graphs = ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check")
    optimizer = {name: lambda self: None for name in graphs if hasattr(torch.optim.Optimizer, name)}
    modules = [sys.modules[f"torch.optim.{name}"] for name in ("optimizer", "adam", "sgd")]
    fused = {"_device_dtype_check_for_fused": lambda *args, **options: None}
    return [
        (torch.cuda, cuda),
        (torch, {"Generator": _Generator}),
        (torch.random, {"fork_rng": fork_rng}),
        (torch.optim.Optimizer, optimizer),
        *((module, fused) for module in modules if hasattr(module, *fused)),
    ]
