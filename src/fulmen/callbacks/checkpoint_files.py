"""Checkpoints as files: written whole or not at all, read without running code, and fit for where they now lie."""

import inspect
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from fulmen.config.stored import moved
from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or absent, and that load without unpickling objects."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        buffer = io.BytesIO()  # torch's own writer hides why the disk refused
        torch.save(checkpoint, buffer)
        with atomic_write(path, "wb") as file:
            file.write(buffer.getbuffer())

    def load_checkpoint(self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = True) -> dict:
        return read_checkpoint(path, map_location)


def read_checkpoint(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """The checkpoint at `path`: plain values and tensors, never unpickled objects.

    Raises:
        FulmenError: there is none, it is truncated, or it holds more than plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise FulmenError(f"no checkpoint at {path}")
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:
        others = sorted(other.name for other in path.parent.glob("*.ckpt") if other != path)
        hint = f"; beside it lies {', '.join(others)}" if others else ""
        reason = str(error).partition(". ")[0].splitlines()[0]
        raise FulmenError(f"{path} is damaged or no plain checkpoint ({reason}){hint}") from error


def follow_folder(checkpoints: Iterable[ModelCheckpoint], states: dict[str, Any], now: Path) -> None:
    """Lead the paths in the `states` of ModelCheckpoints to the folder `now`: a run folder may have been moved.

    Lightning forgets the best score where the folder has another name, and the next epoch would replace a better one.

    Raises:
        FulmenError: a path leads out of its folder; Lightning would delete what lies there for a better checkpoint.
    """
    for checkpoint in checkpoints:
        state = states.get(checkpoint.state_key)
        if outside := next((text for text in _texts(state) if ".." in Path(text).parts or "://" in text), None):
            raise FulmenError(f"{now / 'last.ckpt'} names {outside}, which leads out of the run folder: refused")
        if state and checkpoint.dirpath and Path(checkpoint.dirpath) == now.resolve():
            states[checkpoint.state_key] = moved(state, str(state.get("dirpath")), str(checkpoint.dirpath))


def _texts(value: Any) -> Iterator[str]:
    """Every text in nested plain values, keys included."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def keep_arguments(callbacks: Iterable[Callback], states: dict[str, Any]) -> None:
    """What a callback was made with is no state: an argument stands as it is now typed, not as it was stored.

    One that is neither Lightning's nor ours may keep its progress under the name of an argument, and is left alone.
    """
    for callback in callbacks:
        if type(callback).__module__.partition(".")[0] not in ("lightning", "fulmen"):
            continue
        state = states.get(callback.state_key) or {}
        arguments = inspect.signature(type(callback).__init__).parameters
        for name in [name for name in state if name in arguments and hasattr(callback, name)]:
            state[name] = getattr(callback, name)
