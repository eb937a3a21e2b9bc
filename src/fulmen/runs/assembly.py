"""The parts of a run: data, model, trainer, callbacks and loggers as a config describes them."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.accelerators import Accelerator, CUDAAccelerator, MPSAccelerator
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, ModelSummary, ProgressBar
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, ListConfig, OmegaConf
from torch import zeros
from torch.nn import Parameter
from torch.optim import Optimizer

from fulmen.callbacks.fitting import completed
from fulmen.callbacks.leaks import FindLeaks, ignored_by
from fulmen.callbacks.outputs import SampleOutputs
from fulmen.callbacks.resume import AtomicCheckpoints
from fulmen.callbacks.taken import TellTaken
from fulmen.config.check import build
from fulmen.distributed.ranks import exact_means
from fulmen.errors import FulmenError
from fulmen.runs.contract import refuse_unless_kept
from fulmen.runs.status import is_trial
from fulmen.runs.surroundings import speak
from fulmen.utils.precision import AUTO, best_precision
from fulmen.workload import Workload, WorkloadData

ACCELERATORS: dict[str, tuple[type[Accelerator], ...]] = {
    "gpu": (CUDAAccelerator, MPSAccelerator), "cuda": (CUDAAccelerator,), "mps": (MPSAccelerator,),
}  # fmt: skip
NOTHING: Mapping[str, Callback] = MappingProxyType({})


def assemble(
    cfg: DictConfig, ready: Mapping[str, Callback] = NOTHING
) -> tuple[LightningDataModule, LightningModule, Trainer]:
    """Data, model and trainer as configured.

    Raises:
        FulmenError: one of them refuses its arguments.
    """
    data, model = build(cfg.data, "data"), build(cfg.model, "model")
    refuse_unless_kept(type(data), WorkloadData)
    refuse_unless_kept(type(model), Workload)
    validate_optimizers(cfg.model, "model")
    logging_to = loggers(cfg)
    watching = completed(callbacks(cfg, ready), logging_to, cfg.trainer, Path(cfg.output_dir, "checkpoints"))
    watching += [SampleOutputs(), TellTaken(), FindLeaks(mode_of(cfg), ignored_by(cfg))]
    parts: dict[str, Any] = {
        "callbacks": watching,
        "enable_progress_bar": any(isinstance(callback, ProgressBar) for callback in watching),
        "enable_model_summary": any(isinstance(callback, ModelSummary) for callback in watching),
        "enable_checkpointing": any(isinstance(callback, ModelCheckpoint) for callback in watching),
        "logger": logging_to or False,
        "plugins": [AtomicCheckpoints(), *plugins(cfg)],
        "default_root_dir": cfg.output_dir,
    }
    if cfg.trainer.get("precision") == AUTO:
        parts["precision"] = best_precision(str(cfg.trainer.get("accelerator", "auto")))
    speak(*loud_modules(cfg, watching))
    trainer = trainer_of(cfg, parts)
    exact_means(trainer)
    return data, model, trainer


def mode_of(cfg: DictConfig) -> str:
    """How leaks are looked for; trials of a search fit no models for that, which the search has done before them."""
    mode = str(cfg.get("leaks", "scan"))
    return {"deep": "scan", "deep_strict": "strict"}.get(mode, mode) if is_trial(cfg) else mode


def trainer_of(cfg: DictConfig, parts: dict[str, Any]) -> Trainer:
    """The Trainer that `cfg.trainer` describes, of `parts` that are made already.

    Raises:
        FulmenError: it refuses its arguments, or the accelerator that is asked for is not here.
    """
    try:
        return build(cfg.trainer, "trainer", **parts)
    except FulmenError as error:
        kinds = ACCELERATORS.get(cfg.trainer.get("accelerator"), ())
        if not kinds or any(kind.is_available() for kind in kinds):
            raise
        missing = f"trainer.accelerator={cfg.trainer.accelerator}: none here; auto takes what there is"
        raise FulmenError(missing) from error


def loud_modules(cfg: DictConfig, watching: Sequence[Callback]) -> list[str]:
    """The modules of Lightning that were asked to say what they do."""
    asked = {
        "callbacks.early_stopping": any(isinstance(each, EarlyStopping) and each.verbose for each in watching),
        "utilities.rank_zero": any(isinstance(each, ModelCheckpoint) and each.verbose for each in watching),
        "profilers.profiler": bool(cfg.trainer.get("profiler")),
    }
    return [module for module, loud in asked.items() if loud]


def validate_optimizers(node: DictConfig, path: str) -> None:
    """Make every partial optimizer below `node` once, for a dummy parameter: `lr=-1` is found before work starts."""
    for name, child in node.items():
        where = f"{path}.{name!s}"
        if not isinstance(child, DictConfig):
            continue
        if not child.get("_partial_") or not str(child.get("_target_", "")).startswith("torch.optim."):
            validate_optimizers(child, where)
            continue
        make = build(child, where)
        if inspect.isclass(make.func) and issubclass(make.func, Optimizer):
            build(OmegaConf.merge(child, {"_partial_": False}), where, params=[Parameter(zeros(1))])


def callbacks(cfg: DictConfig, ready: Mapping[str, Callback] = NOTHING) -> list[Callback]:
    """The callbacks of `cfg.callbacks`: an entry that is null is switched off, one that is `ready` not made again."""
    nodes = {name: node for name, node in (cfg.get("callbacks") or {}).items() if node}
    return [ready[name] if name in ready else build(node, f"callbacks.{name}") for name, node in nodes.items()]


def loggers(cfg: DictConfig) -> list[Logger]:
    """The loggers of `cfg.logger`; an entry that is null is switched off."""
    return [build(node, f"logger.{name}") for name, node in (cfg.get("logger") or {}).items() if node]


def plugins(cfg: DictConfig) -> list[Any]:
    """What `trainer.plugins` asks for besides ours, one or a list."""
    asked = cfg.trainer.get("plugins")
    asked = list(asked) if isinstance(asked, ListConfig) else [asked] if asked else []
    return [build(node, "trainer.plugins") if isinstance(node, DictConfig) else node for node in asked]
