"""State dicts as safetensors, whatever their types: nothing is cast, and tensors that share memory are stored once."""

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.registry.manifest import Damaged

LARGEST_HEADER = 16 << 20  # bytes


def encode(tensors: Mapping[str, object]) -> tuple[bytes, dict[str, str]]:
    """The tensors as a safetensors file, and the names (-> stored name) of those that are another one.

    Raises:
        FulmenError: a value is no tensor, or of a kind the format does not know.
    """
    stored: dict[str, Tensor] = {}
    seen: dict[tuple[object, ...], str] = {}
    shared: dict[str, str] = {}
    for name, value in tensors.items():
        if not isinstance(value, Tensor):
            raise FulmenError(f"{name} is a {type(value).__name__}; a bundle holds tensors only, keep it in a buffer")
        if value.is_sparse or value.is_quantized or value.layout is not torch.strided:
            raise FulmenError(f"{name} is no plain dense tensor; safetensors cannot hold it")
        same = (value.data_ptr(), value.dtype, tuple(value.shape), value.stride())
        if value.numel() and same in seen:
            shared[name] = seen[same]
            continue
        seen[same] = name
        stored[name] = value.detach().cpu().contiguous().clone()  # views of one memory become tensors of their own
    try:
        return save(stored), shared
    except (SafetensorError, ValueError, KeyError) as error:
        raise FulmenError(f"the weights cannot be stored as safetensors: {error}") from error


def decode(content: bytes, path: object, shared: Mapping[str, str] | None = None) -> dict[str, Tensor]:
    """The tensors in a safetensors file.

    Raises:
        Damaged: it is none; pickles, for one, are refused unread.
    """
    header = int.from_bytes(content[:8], "little")
    if len(content) < 8 or header > min(LARGEST_HEADER, len(content) - 8) or content[8:9] != b"{":
        raise Damaged(f"{path} is no safetensors file (header of {header:,} bytes in a file of {len(content):,})")
    try:
        tensors = load(content)
    except Exception as error:  # of the Rust library, also for what Python's struct and json would refuse
        raise Damaged(f"{path} is no readable safetensors file: {str(error)[:200]}") from None
    for name, other in (shared or {}).items():
        if not isinstance(other, str) or other not in tensors:
            raise Damaged(f"{path} does not hold {other}, which {name} shares")
        tensors[name] = tensors[other]
    return tensors
