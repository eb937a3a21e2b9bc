"""`weights=<run folder or file>`: a new run that starts from the weights of another, to train them further.

What fits is loaded when training starts, after the module has taken means and scales from its own data: those that the
loaded weights have learned with come with them, as in a kept model. Names in the module's `of_the_data` (class counts,
say) stay those of the data.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from fulmen.callbacks.resume import read_checkpoint
from fulmen.errors import FulmenError
from fulmen.workload import Workload

SHOWN = 3  # tensors that are named
State = dict[str, Tensor]


class StartFrom(Callback):
    """Loads what fits of `path` into a module that is about to be trained.

    Attributes:
        fitting: name -> tensor.
        facts: where they come from, for environment.json.

    Raises:
        FulmenError: no such file, nothing of it fits, or it holds what is no number.
    """

    def __init__(self, path: str | Path, model: LightningModule):
        self.path = file_of(path)
        state, source = read_state(self.path)
        kept = model.of_the_data if isinstance(model, Workload) else ()
        own, state = ({name: value for name, value in each.items() if name not in kept}
                      for each in (model.state_dict(), state))  # fmt: skip
        self.fitting = {name: state[name] for name in own if name in state and state[name].shape == own[name].shape}
        learned = dict(model.named_parameters())
        if not any(name in learned for name in self.fitting):
            raise FulmenError(f"weights: nothing of {source} fits this model: {_misfits(own, state)}")
        refuse_broken(self.fitting, learned, source)
        self.line = describe(own, state, self.fitting, learned, source)
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.facts: dict[str, Any] = {"file": str(self.path), "of": source, "sha256": digest}
        self.facts |= {"loaded": len(self.fitting), "tensors": len(own)}

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        module.load_state_dict(self.fitting, strict=False)


def file_of(source: str | Path) -> Path:
    """A file of weights itself, or the best checkpoint of a run folder, or its last where there is none.

    Raises:
        FulmenError: there is none.
    """
    path = Path(source)
    if path.is_file():
        return path
    if not (path / "config.yaml").is_file():
        raise FulmenError(f"weights: {source} is no run folder, no file of weights and no kept model")
    if several := sorted(path.glob("seed_*")):
        raise FulmenError(f"weights: {path} stands for several runs; choose one, such as weights={_leaf(several[0])}")
    for name in ("best.ckpt", "last.ckpt"):
        if (path / "checkpoints" / name).is_file():
            return path / "checkpoints" / name
    raise FulmenError(f"weights: {path} has no checkpoint")


def _leaf(folder: Path) -> Path:
    return next(iter(sorted(folder.glob("fold_*"))), folder)


def read_state(path: Path) -> tuple[State, str]:
    """The tensors in a checkpoint or the weights of a kept model, and what a person calls them."""
    if path.suffix != ".safetensors":
        state = read_checkpoint(path).get("state_dict")
        if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
            raise FulmenError(f"weights: {path} holds no state_dict of tensors")
        return state, str(path.parents[1] if path.parent.name == "checkpoints" else path)
    try:
        state = load(path.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise FulmenError(f"weights: {path} cannot be read: {error}") from error
    facts: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        facts = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
    state |= {name: state[other] for name, other in (facts.get("shared_weights") or {}).items() if other in state}
    return state, f"{facts['name']}:{facts['version']}" if {"name", "version"} <= facts.keys() else str(path)


def refuse_broken(state: State, learned: dict[str, Any], source: str) -> None:
    """Pass if all that is learned is finite; of fitted buffers some are infinite where there is no bound.

    Raises:
        FulmenError: it is not.
    """
    for name, value in state.items():
        if torch.isnan(value).any() or (name in learned and not torch.isfinite(value).all()):
            raise FulmenError(f"weights: {name} of {source} is not finite; that training had diverged, take another")


def describe(own: State, state: State, fitting: State, learned: dict[str, Any], source: str) -> str:
    """What is loaded and what is not, in a line."""
    buffers = sum(name not in learned for name in fitting)
    with_it = f", {buffers} of them fitted to its data (means, scales and the like)" if buffers else ""
    misfits = _misfits(own, state)
    return (
        f"starting from {source}: {len(fitting)} of {len(own)} tensors loaded{with_it}{'; ' * bool(misfits)}{misfits}"
    )


def _misfits(own: State, state: State) -> str:
    """The tensors that have another shape or are on one side alone; a few by name."""
    said = [
        f"{name} is {tuple(state[name].shape)} there and {tuple(value.shape)} here"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    ]
    said += [f"{name} is missing there" for name in own if name not in state]
    said += [f"{name} has no place here" for name in state if name not in own]
    return ", ".join(said[:SHOWN]) + (f" and {len(said) - SHOWN} more" if len(said) > SHOWN else "")
