"""One run: data, model, trainer, fit, test the best checkpoint, write down what came of it."""

import logging
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint, ModelSummary, ProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf

from fulmen.callbacks.resume import AtomicCheckpoints, read_checkpoint
from fulmen.config import build
from fulmen.errors import FulmenError, Interrupted
from fulmen.evaluation.figures import training_curve
from fulmen.evaluation.report import Summary, print_table, write_report
from fulmen.result import Result, read_result, write_fingerprint, write_provenance
from fulmen.threads import set_threads


def run(cfg: DictConfig, overrides: Sequence[str] = ()) -> Result:
    """Train, evaluate and report what `cfg` (checked and resolved) describes, in the folder `cfg.output_dir`.

    A run that was completed before is not trained again by a bare `resume=<folder>`, only evaluated.

    Raises:
        Interrupted: training was asked to stop; it is saved and can go on with `resume=<folder>`.
        FulmenError: something the user can mend.
    """
    started = time.monotonic()
    quiet_libraries()
    threads = set_threads(cfg.threads)
    seed_everything(cfg.seed, workers=True, verbose=False)
    folder = Path(cfg.output_dir)
    try:
        data, model, trainer = parts(cfg)
        resume = folder / "checkpoints" / "last.ckpt" if cfg.resume else None
        before = take_up(resume, model, trainer) if resume else {}
    except FulmenError:
        with suppress(OSError):
            folder.rmdir()  # made by Hydra; goes only if it is empty
        raise
    result = Result(cfg.experiment, folder, metrics=before.get("metrics", {}), cost={
        "fit_seconds": before.get("cost", {}).get("fit_seconds", 0.0),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "device": str(trainer.strategy.root_device),
        "threads": threads,
    })  # fmt: skip
    if trainer.is_global_zero:
        write_provenance(folder, cfg, overrides, resumed=bool(resume))
        result.write()
        size, device = f"{result.cost['parameters']:,} parameters", result.cost["device"]
        print(f"{cfg.experiment}: {size} on {device}, {threads} threads; run folder {folder}", flush=True)

    if before.get("status") == "completed" and all(override.startswith("resume=") for override in overrides):
        print("training was completed before; evaluating it again")
        result.status, result.epochs, result.steps = "completed", before["epochs"], before["steps"]
    else:
        fit(trainer, model, data, resume, cfg.monitor, result)

    best = folder / "checkpoints" / "best.ckpt"
    if best.exists() and not trainer.fast_dev_run:
        model.load_state_dict(read_checkpoint(best)["state_dict"])
    if cfg.test:
        trainer.test(model, datamodule=data, verbose=False)
        result.metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    if trainer.is_global_zero:
        if cfg.test and hasattr(model, "summarize"):
            report(result, model.summarize(data, folder / "figures"), cfg.monitor, overrides)
        result.cost["seconds"] = time.monotonic() - started
        result.write()
        log_hyperparameters(trainer, cfg, result)
    return result


def parts(cfg: DictConfig) -> tuple[LightningDataModule, LightningModule, Trainer]:
    """Data, model and trainer as configured.

    Raises:
        FulmenError: one of them refuses its arguments.
    """
    data, model = build(cfg.data, "data"), build(cfg.model, "model")
    watching = callbacks(cfg)
    trainer = build(
        cfg.trainer,
        "trainer",
        callbacks=watching,
        enable_progress_bar=any(isinstance(callback, ProgressBar) for callback in watching),
        enable_model_summary=any(isinstance(callback, ModelSummary) for callback in watching),
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in watching),
        logger=loggers(cfg) or False,
        plugins=[AtomicCheckpoints()],
        default_root_dir=cfg.output_dir,
    )
    return data, model, trainer


def callbacks(cfg: DictConfig) -> list[Callback]:
    """The callbacks of `cfg.callbacks`; an entry that is null is switched off."""
    return [build(node, f"callbacks.{name}") for name, node in (cfg.callbacks or {}).items() if node]


def loggers(cfg: DictConfig) -> list[Logger]:
    """The loggers of `cfg.logger`; an entry that is null is switched off."""
    return [build(node, f"logger.{name}") for name, node in (cfg.logger or {}).items() if node]


def take_up(resume: Path, model: LightningModule, trainer: Trainer) -> dict[str, Any]:
    """Make sure that `last.ckpt` is this model's, let the loggers go on from it, return the run's result so far."""
    folder = resume.parent.parent
    checkpoint = read_checkpoint(resume)
    check_fits(model, checkpoint, folder)
    for logger in trainer.loggers:
        if hasattr(logger, "resume"):
            logger.resume(checkpoint["global_step"])
    return read_result(folder)


def fit(trainer: Trainer, model: LightningModule, data: Any, resume: Path | None, monitor: str, result: Result) -> None:
    """Train, and write how it ended into the result, however it ends."""
    started, seconds_before = time.monotonic(), result.cost["fit_seconds"]
    try:
        trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        result.status = "completed"
    except Interrupted as error:
        result.status, result.message = "interrupted", str(error)
        raise
    except (KeyboardInterrupt, SystemExit) as error:  # while the data were prepared; Lightning makes them exit code 1
        result.status, result.message = "interrupted", "before the first step"
        raise KeyboardInterrupt from error
    except BaseException as error:
        result.status, result.message = "failed", f"{type(error).__name__}: {error}"
        if isinstance(error, MisconfigurationException):  # Lightning's word for what the user can mend
            raise FulmenError(str(error)) from error
        raise
    finally:
        result.epochs, result.steps = trainer.current_epoch, trainer.global_step
        result.cost["fit_seconds"] = seconds_before + time.monotonic() - started
        result.metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if trainer.checkpoint_callback and trainer.checkpoint_callback.best_model_score is not None:
            result.metrics[f"best/{monitor}"] = float(trainer.checkpoint_callback.best_model_score)
        if trainer.is_global_zero:
            result.write()
            write_fingerprint(result.folder, data)


def report(result: Result, summary: Summary, monitor: str, overrides: Sequence[str]) -> None:
    """Add what the workload says of itself to the result, write report.md and show its first table."""
    result.metrics |= {f"test/{name}": float(value) for name, value in summary.metrics.items()}
    result.baselines = summary.baselines
    curve = training_curve(result.folder, monitor)
    if curve:
        summary.figures["Training"] = curve.name
    path = write_report(result.folder, result.experiment, summary, asdict(result), overrides)
    for title, rows in list(summary.tables.items())[:1]:
        print_table(title, rows)
    print(f"report: {path}")


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


def log_hyperparameters(trainer: Trainer, cfg: DictConfig, result: Result) -> None:
    """Fill TensorBoard's HPARAMS tab, once, with the final metrics."""
    plain = OmegaConf.to_container(cfg, resolve=True)
    flat = flatten({name: plain[name] for name in ("data", "model", "trainer", "seed")})
    final = {name: value for name, value in result.metrics.items() if name.startswith(("best/", "test/"))}
    for logger in trainer.loggers:
        if hasattr(logger, "log_result"):
            logger.log_result(flat, final, result.steps)


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str | int | float | bool]:
    """`{"a": {"_target_": "x.Y", "b": 1}}` as `{"a": "Y", "a.b": 1}`; lists as text; null and private keys left out."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif name == "_target_":
            flat[prefix.rstrip(".")] = value.rpartition(".")[2]
        elif value is not None and not name.startswith("_"):
            flat[prefix + name] = value if isinstance(value, str | int | float | bool) else str(value)
    return flat


def quiet_libraries() -> None:
    """Silence what tells a user of ours nothing: advice about worker processes and logging intervals."""
    for message in (
        r"The '\w+_dataloader' does not have many workers",
        r"The number of training batches \(\d+\) is smaller than the logging interval",
        r"Checkpoint directory .* exists and is not empty",
        r"The dirpath has changed from",
        r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    ):
        warnings.filterwarnings("ignore", message)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.accelerators.cuda").setLevel(logging.WARNING)
