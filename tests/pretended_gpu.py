"""A GPU to try code on without one: tensors that say they lie on cuda:0, compute on the CPU, and refuse to meet others.

Their values are real, so a training goes through to its report and ends with the numbers of the CPU. Two things are
found: operations on tensors of two devices, which a GPU refuses, and places where the host reads a value from the
device, where it would wait until everything before has been computed.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_map

import fulmen

CUDA = torch.device("cuda", 0)
SOURCE = Path(fulmen.__file__).parent
aten = torch.ops.aten
BETWEEN_DEVICES = {aten._to_copy.default, aten.copy_.default}
INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}  # indices may lie on the CPU
READS = {
    aten._local_scalar_dense.default, aten.nonzero.default, aten.masked_select.default, aten.equal.default,
    aten.bincount.default, aten._unique2.default, aten.unique_dim.default, aten.repeat_interleave.Tensor,
}  # fmt: skip


class TwoDevices(RuntimeError):
    """What a GPU would refuse."""


class OnGPU(torch.Tensor):
    """A tensor on cuda:0 for all who ask; its values lie in `host`.

    For the C++ part of torch it lies on "meta", whose gradients need no CUDA context.
    """

    host: torch.Tensor
    device = property(lambda self: CUDA)
    is_cuda, is_meta, is_cpu = (property(lambda self, said=said: said) for said in (True, False, False))

    @staticmethod
    def __new__(cls, host: torch.Tensor) -> "OnGPU":
        made = torch.Tensor._make_wrapper_subclass(
            cls, host.size(), strides=host.stride(), storage_offset=host.storage_offset(), dtype=host.dtype,
            layout=host.layout, device="meta",
        )  # fmt: skip
        made.host = host
        return made

    def __repr__(self) -> str:
        return f"OnGPU({self.host})"

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.ndim == 0 else self.host, spec)

    def __getitem__(self, index: Any) -> torch.Tensor:
        return super().__getitem__(listed(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(listed(index), value)

    def new_tensor(self, data: Any, **kwargs: Any) -> torch.Tensor:
        return torch.tensor(data, dtype=kwargs.get("dtype", self.dtype)).to(CUDA)

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def __reduce_ex__(self, protocol: int) -> Any:
        return self.host.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return GPU.computed(func, args, kwargs or {}, None)


class GPU(TorchDispatchMode):
    """The device, while it is there.

    Attributes:
        waits: how often the host has read a value in a training step, by file and function of ours that asked for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.computed(func, args, kwargs or {}, self)

    @staticmethod
    def computed(func: Any, args: Any, kwargs: dict[str, Any], gpu: "GPU | None") -> Any:
        tensors = list(tensors_in((*args, *kwargs.values())))
        on_gpu = any(isinstance(tensor, OnGPU) for tensor in tensors)
        asked = kwargs.get("device")
        to_gpu = asked is not None and torch.device(asked).type in ("cuda", "meta")  # meta: that of an OnGPU, by C++
        if not on_gpu and not to_gpu:
            return func(*args, **kwargs)
        if on_gpu:
            refuse_two_devices(func, args, tensors)
            if gpu is not None and waits(func, args, asked, to_gpu):
                gpu.note()
        host_kwargs = on_host(kwargs) | ({"device": torch.device("cpu")} if to_gpu else {})
        out = func(*on_host(args), **host_kwargs)
        if func is aten.copy_.default:
            return args[0]
        if on_gpu and asked is not None and not to_gpu:
            return out
        wrapped = tree_map(lambda value: OnGPU(value) if isinstance(value, torch.Tensor) else value, out)
        return return_and_correct_aliasing(func, args, kwargs, wrapped) if on_gpu and aliases(func) else wrapped

    def note(self) -> None:
        """Count a wait if it is part of a training step, by the innermost function of ours."""
        ours, training = "", False
        frame = sys._getframe(2)
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(SOURCE):
                ours = ours or f"{path.relative_to(SOURCE).as_posix()}: {frame.f_code.co_name}"
            training |= frame.f_code.co_name in ("training_step", "optimizer_step")
            frame = frame.f_back
        if training:
            self.waits[ours] += 1


def listed(index: Any) -> Any:
    """An index with tensors for its lists: C++ would make them on "meta", without values."""
    if isinstance(index, tuple):
        return tuple(map(listed, index))
    return torch.tensor(index).to(CUDA) if isinstance(index, list) else index


def tensors_in(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def on_host(value: Any) -> Any:
    """The values behind OnGPU tensors, in tuples, lists and dicts."""
    if isinstance(value, OnGPU):
        return value.host
    if isinstance(value, list | tuple):
        return type(value)(map(on_host, value)) if value else value
    return {key: on_host(item) for key, item in value.items()} if isinstance(value, dict) else value


@cache
def aliases(func: Any) -> bool:
    """Whether it returns its argument, or a view of it."""
    return any(argument.alias_info is not None for argument in func._schema.arguments)


def refuse_two_devices(func: Any, args: Any, tensors: list[torch.Tensor]) -> None:
    if func in BETWEEN_DEVICES:
        return
    if func in INDEXED:
        tensors = [args[0]]
    strangers = [tensor for tensor in tensors if not isinstance(tensor, OnGPU) and tensor.ndim]
    if strangers or (func in INDEXED and not isinstance(args[0], OnGPU)):
        raise TwoDevices(f"{func}: {[(tuple(tensor.shape), tensor.device.type) for tensor in tensors]}")


def waits(func: Any, args: Any, asked: Any, to_gpu: bool) -> bool:
    """Whether the host has to know a value, or a shape that depends on values."""
    if func in READS or (func is aten._to_copy.default and asked is not None and not to_gpu):
        return True
    if func is aten.copy_.default:
        return not isinstance(args[0], OnGPU)
    masks = tensors_in(args[1]) if func in INDEXED else ()
    return any(mask.dtype in (torch.bool, torch.uint8) for mask in masks)


class OneGPU(SingleDeviceStrategy):
    """Lightning's strategy for one GPU, without asking the driver for it."""

    def __init__(self) -> None:
        super().__init__(device=CUDA, accelerator=NoDriver())

    def teardown(self) -> None:
        self.accelerator.teardown()


class NoDriver(CPUAccelerator):
    def setup_device(self, device: torch.device) -> None:
        pass


def by_way_of_the_host(make: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def made(data: Any, *args: Any, device: Any = None, **kwargs: Any) -> torch.Tensor:
        value = data if isinstance(data, OnGPU) else make(data, *args, **kwargs)
        return value if device is None else value.to(device)

    return made


@contextmanager
def pretended_gpu() -> Iterator[GPU]:
    """Within it `module.to("cuda")`, `torch.zeros(3, device="cuda")` and Trainers with `OneGPU` work."""
    make = torch.Generator
    with ExitStack() as stack:
        stack.enter_context(patch("torch.cuda._lazy_init", lambda: None))
        stack.enter_context(patch("torch.cuda.get_rng_state", lambda device: torch.get_rng_state()))
        stack.enter_context(patch("torch.cuda.set_rng_state", lambda state, device: None))
        stack.enter_context(patch("torch.Generator", lambda device="cpu": make()))
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        for name in ("tensor", "as_tensor"):  # they go to the driver, past every mode
            stack.enter_context(patch(f"torch.{name}", by_way_of_the_host(getattr(torch, name))))
        yield stack.enter_context(GPU())
