"""Taking up a run: its checkpoint looked at, its loggers and its result set to go on, and what changes told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn
from omegaconf import DictConfig, OmegaConf

from fulmen.callbacks.base import RunLogger
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import said_again
from fulmen.config.mistakes import key_of
from fulmen.config.resume_table import lines
from fulmen.config.stored import read_stored
from fulmen.errors import FulmenError
from fulmen.runs.result import Result

ENDS = ("max_epochs", "max_steps", "max_time", "min_epochs", "min_steps")
SHOWING = ("progress", "summary", "learning_rate", "monitor")  # callbacks that only show


def take_up(resume: Path, model: LightningModule, trainer: Trainer) -> Result:
    """The result so far of the run that `last.ckpt` belongs to, the loggers set to go on from there.

    Raises:
        FulmenError: the checkpoint is damaged, is another model's, or has more epochs than are now asked for.
    """
    folder = resume.parent.parent
    checkpoint = read_checkpoint(resume)
    check_fits(model, checkpoint, folder)
    if trainer.max_epochs is not None and -1 < trainer.max_epochs < checkpoint["epoch"]:
        raise FulmenError(
            f"trainer.max_epochs={trainer.max_epochs}: the run in {folder} has {checkpoint['epoch']} already"
        )
    if -1 < trainer.max_steps < checkpoint["global_step"]:
        raise FulmenError(
            f"trainer.max_steps={trainer.max_steps}: the run in {folder} has {checkpoint['global_step']} already"
        )
    for logger in [each for each in trainer.loggers if isinstance(each, RunLogger)]:
        logger.resume(checkpoint["global_step"], checkpoint.get("loggers", {}).get(type(logger).__name__))
    result, at_save = Result.read(folder), checkpoint.get("result", {}).get("fit_seconds", 0.0)
    result.cost["fit_seconds"] = max(result.cost.get("fit_seconds", 0.0), at_save)  # a kill leaves those of a start
    return result


def check_fits(model: LightningModule, checkpoint: dict[str, Any], folder: Path) -> None:
    """Refuse a checkpoint whose weights are of another model, before any of them is loaded."""
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    stored = {name: tuple(value.shape) for name, value in checkpoint["state_dict"].items()}
    if own != stored:
        name = next(name for name in own | stored if own.get(name) != stored.get(name))
        raise FulmenError(
            f"{folder}/checkpoints/last.ckpt does not fit the model in {folder}/config.yaml: {name} is "
            f"{stored.get(name, 'absent')} in the checkpoint and {own.get(name, 'absent')} in the model. Was the "
            f"checkpoint copied from another run, or the model changed by an override?"
        )


def tell_changes(overrides: Sequence[str], folder: Path) -> None:
    """Say in one line each what changes by what is typed beside `resume=<folder>`."""
    again = said_again(overrides, OmegaConf.create(read_stored(folder)))
    for line in lines(override for override in overrides if key_of(override) not in again):
        rank_zero_warn(line)


def rules_of(cfg: DictConfig) -> str:
    """What decides when a training ends, as text."""
    watching = {name: node for name, node in (cfg.get("callbacks") or {}).items() if name not in SHOWING}
    parts = {"trainer": {name: cfg.trainer.get(name) for name in ENDS}, "callbacks": watching}
    return OmegaConf.to_yaml(OmegaConf.create(parts), sort_keys=True).replace(str(cfg.output_dir), "")
