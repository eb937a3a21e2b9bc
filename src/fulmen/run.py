"""One run: data, model, trainer, fit, test the best checkpoint, write down what came of it."""

import json
import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint, ModelSummary, ProgressBar
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf

from fulmen.callbacks.resume import AtomicCheckpoints, read_checkpoint
from fulmen.config import build
from fulmen.errors import Diverged, FulmenError, Interrupted
from fulmen.evaluation.figures import training_curve
from fulmen.evaluation.report import Summary, print_table, write_report
from fulmen.files import atomic_write, write_json
from fulmen.provenance import environment
from fulmen.threads import set_threads


@dataclass
class Result:
    """What `result.json` holds.

    Attributes:
        status: running, completed, interrupted, diverged or failed.
        metrics: `test/...` of the best checkpoint, `best/<monitor>` of its epoch, the others of the last epoch.
        baselines: metrics of what costs nothing, by baseline.
        cost: seconds of fitting (over all resumes) and in all, parameters, device, threads.
    """

    experiment: str
    folder: Path
    status: str = "running"
    epochs: int = 0
    steps: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    message: str = ""

    def write(self) -> None:
        write_json(self.folder / "result.json", asdict(self) | {"folder": self.folder.name})


def run(cfg: DictConfig, overrides: Sequence[str] = ()) -> Result:
    """Train, evaluate and report what `cfg` (checked and resolved) describes, in the folder `cfg.output_dir`.

    Raises:
        Interrupted: training was asked to stop; it is saved and can go on with `resume=<folder>`.
        Diverged: training has left all bounds.
        FulmenError: something the user can mend.
    """
    started = time.monotonic()
    quiet_libraries()
    threads = set_threads(cfg.threads)
    seed_everything(cfg.seed, workers=True, verbose=False)
    folder = Path(cfg.output_dir)
    resume = folder / "checkpoints" / "last.ckpt" if cfg.resume else None
    checkpoint = read_checkpoint(resume) if resume else None

    data: LightningDataModule = build(cfg.data, "data")
    model: LightningModule = build(cfg.model, "model")
    watching = callbacks(cfg)
    trainer: Trainer = build(
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
    if checkpoint:
        check_fits(model, checkpoint, folder)
        for logger in trainer.loggers:
            logger.resume(checkpoint["global_step"])
    result = Result(cfg.experiment, folder, cost={
        "fit_seconds": fit_seconds_before(folder) if resume else 0.0,
        "parameters": sum(p.numel() for p in model.parameters()),
        "device": str(trainer.strategy.root_device),
        "threads": threads,
    })  # fmt: skip
    if trainer.is_global_zero:
        write_provenance(folder, cfg, overrides, resumed=bool(resume))
        device, parameters = result.cost["device"], result.cost["parameters"]
        print(
            f"{cfg.experiment}: {parameters:,} parameters on {device}, {threads} threads; run folder {folder}",
            flush=True,
        )
        result.write()

    fitting = time.monotonic()
    try:
        trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        result.status = "completed"
    except (Interrupted, Diverged) as error:
        result.status, result.message = error.status, str(error)
        raise
    except BaseException as error:
        result.status, result.message = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        result.epochs, result.steps = trainer.current_epoch, trainer.global_step
        result.cost["fit_seconds"] += time.monotonic() - fitting
        result.metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if trainer.checkpoint_callback and trainer.checkpoint_callback.best_model_score is not None:
            result.metrics[f"best/{cfg.monitor}"] = float(trainer.checkpoint_callback.best_model_score)
        if trainer.is_global_zero:
            result.write()

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
        log_hyperparameters(trainer, cfg, result.metrics)
        print(
            f"{'report: ' + str(folder / 'report.md') if (folder / 'report.md').exists() else f'run folder: {folder}'}"
        )
    return result


def callbacks(cfg: DictConfig) -> list[Callback]:
    """The callbacks of `cfg.callbacks`; an entry that is null is switched off."""
    return [build(node, f"callbacks.{name}") for name, node in (cfg.get("callbacks") or {}).items() if node]


def loggers(cfg: DictConfig) -> list[Logger]:
    """The loggers of `cfg.logger`; an entry that is null is switched off."""
    return [build(node, f"logger.{name}") for name, node in (cfg.get("logger") or {}).items() if node]


def report(result: Result, summary: Summary, monitor: str, overrides: Sequence[str]) -> None:
    """Add what the workload says of itself to the result, write report.md and show its first table."""
    result.metrics |= {f"test/{name}": float(value) for name, value in summary.metrics.items()}
    result.baselines = summary.baselines
    curve = training_curve(result.folder, monitor)
    if curve:
        summary.figures["Training"] = curve.name
    write_report(result.folder, result.experiment, summary, asdict(result), overrides)
    for title, rows in list(summary.tables.items())[:1]:
        print_table(title, rows)


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


def write_provenance(folder: Path, cfg: DictConfig, overrides: Sequence[str], resumed: bool) -> None:
    """config.yaml, overrides.txt and environment.json; a resumed run adds to the last two."""
    now = {"time": datetime.now().astimezone().isoformat(timespec="seconds"), "seed": cfg.seed, **environment()}
    path = folder / "environment.json"
    history = []
    if resumed and path.exists():
        history = json.loads(path.read_text()).get("starts", [])
    with atomic_write(folder / "config.yaml") as file:
        stored = OmegaConf.merge(cfg, {"resume": None})
        file.write(OmegaConf.to_yaml(stored))
    with open(folder / "overrides.txt", "a" if resumed else "w") as file:
        file.writelines(f"{override}\n" for override in overrides)
    write_json(path, {"starts": [*history, now]})


def fit_seconds_before(folder: Path) -> float:
    try:
        return json.loads((folder / "result.json").read_text())["cost"]["fit_seconds"]
    except (OSError, ValueError, KeyError):
        return 0.0


def log_hyperparameters(trainer: Trainer, cfg: DictConfig, metrics: dict[str, float]) -> None:
    """Fill TensorBoard's HPARAMS tab, once, with the final metrics."""
    plain = OmegaConf.to_container(cfg, resolve=True)
    flat = flatten({name: plain[name] for name in ("data", "model", "trainer", "seed") if name in plain})
    for logger in trainer.loggers:
        if hasattr(logger, "log_result"):
            logger.log_result(flat, metrics)


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str | int | float | bool]:
    """`{"a": {"b": 1}}` as `{"a.b": 1}`; values that are no scalars as text."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
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
